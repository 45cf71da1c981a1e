"""Titles of option groups in `--help`, by the dataclass of a verb or of one of its actions.

The title "" stands for the common options, which come first. Options of no group come last.
"""

from __future__ import annotations

COMMON = ""

OPTION_TITLES: dict[str, dict[str, str]] = {
    "Benchmark": {
        COMMON: "networks runtime batch threads size device map json",
        "measurement": "rounds precision",
        "output": "csv plot quiet",
    },
    "Convert": {
        COMMON: "source target format form num_classes in_channels force json",
        "architecture": "cardinality ndim rule seed",
        "source": "shortcut_padding accept_licence",
    },
    "DataImageNet": {
        COMMON: "check prepare json",
        "preparation": "train val devkit ground_truth force",
    },
    "Describe": {
        COMMON: "model compare input num_classes form layers list json",
        "architecture": "in_channels shortcut preactivation output_stride ndim",
        "task": "task head aux_head",
    },
    "DesignCommand": {
        COMMON: "like cardinality width depth by factor pareto json",
        "search": "base multiplier multiple_of scope tolerance",
        "network": "input num_classes",
        "latency": "runtime batch_size threads repeats device precision no_cache",
    },
    "Evaluate": {
        COMMON: "run data split size ten_crop flip device report out json",
        "ImageNet": "real imagenet_v2 all_classes",
        "advanced": "resize batch_size workers quiet",
    },
    "Export": {
        COMMON: "run to out input size data force json",
        "graph": "dynamic_size opset",
        "precision": "int8 precision calibrate max_loss",
    },
    "Features": {
        COMMON: "run out data split stage force json",
        "advanced": "limit batch_size workers device",
    },
    "Predict": {
        COMMON: "run images text top json csv draw device",
        "detection and segmentation": "min_score masks",
        "speed": "batch_size precision",
    },
    "Probe": {
        COMMON: "run data method k stage json",
        "advanced": "temperature seed batch_size workers device",
    },
    "Publish": {
        COMMON: "source to repo title licence overwrite accept_licence json",
        "Hub": "private revision message",
    },
    "Serve": {
        COMMON: "model host port runtime threads precision api_key_file watch runs no_page",
        "request": (
            "max_images max_body_mib max_megapixels formats upload_timeout_s answer_timeout_s"
        ),
        "load": "max_batch queue_images max_wait_s max_memory_mib max_decode_mib",
        "shutdown": "drain_s shutdown_timeout_s",
        "cluster": "cluster replicas",
    },
    "StudyReport": {
        COMMON: "name time figures root",
        "study": "scale data head recipe seeds set",
        "output": "force quiet json",
    },
    "StudyRun": {
        COMMON: "name scale data head recipe seeds set root jobs",
        "machine": "processes threads cluster",
        "advanced": "halving quiet json",
    },
    "Train": {
        COMMON: (
            "data model recipe epochs batch_size lr image_size weights pretrained name resume "
            "device set"
        ),
        "fine-tuning": "accept_licence freeze_until head_lr_factor",
        "training": "head seed balance early_stopping find_lr config",
        "run folder": "out continue_",
        "speed": "precision compile tune threads workers",
        "output": "quiet json",
    },
}
