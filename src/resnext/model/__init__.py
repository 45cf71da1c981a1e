"""The network as data and modules: config, names, plan, blocks in three forms. No files."""
