// Turns the column titles of every table.sortable into buttons that sort its rows.
const NUMBER = /[-+]?\d[\d,]*(\.\d+)?(e[-+]?\d+)?/i;

function keyOf(row, column, isNumeric) {
  const text = row.cells[column].textContent.trim();
  if (!isNumeric) return text || null;
  const found = NUMBER.exec(text);
  return found ? Number(found[0].replaceAll(",", "")) : null;
}

function compare(a, b, sign) {
  // Cells without a value stay at the end in both directions.
  if (a === null || b === null) return (a === null) - (b === null);
  return sign * (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));
}

function sort(table, heads, head) {
  const column = heads.indexOf(head);
  const isNumeric = head.classList.contains("n");
  const first = isNumeric ? "descending" : "ascending";
  const other = isNumeric ? "ascending" : "descending";
  const direction = head.getAttribute("aria-sort") === first ? other : first;
  heads.forEach((one) => one.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", direction);
  const sign = direction === "ascending" ? 1 : -1;
  const keyed = [...table.tBodies[0].rows].map((row) => [keyOf(row, column, isNumeric), row]);
  keyed.sort((a, b) => compare(a[0], b[0], sign));
  table.tBodies[0].append(...keyed.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  if (table.tBodies[0].rows.length < 2) continue;
  const heads = [...table.tHead.rows[0].cells];
  for (const head of heads.filter((one) => one.textContent.trim())) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, heads, head));
  }
}
