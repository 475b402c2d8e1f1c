"use strict";
const data = JSON.parse(document.getElementById("data").content.textContent);

function add(parent, tag, text, kind) {
  const cell = document.createElement(tag);
  cell.textContent = text;
  if (kind) cell.className = kind;
  parent.append(cell);
  return cell;
}

function shown(value) {
  if (value === null) return "–";
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  return Math.abs(value) < 0.01 && value !== 0 ? value.toPrecision(2) : value.toFixed(3);
}

for (const [title, rows] of Object.entries(data)) {
  if (!rows.length) continue;
  const place = document.getElementById("tables");
  add(place, "h2", title);
  const wide = add(place, "div", "", "wide"), table = add(wide, "table", ""), head = add(table, "tr", "");
  const columns = Object.keys(rows[0]);
  const isNumber = Object.fromEntries(columns.map((key) => [key, rows.some((row) => typeof row[key] === "number")]));
  for (const key of columns) add(head, "th", key, isNumber[key] ? "n" : "");
  for (const row of rows) {
    const line = add(table, "tr", "");
    for (const key of columns) add(line, "td", shown(row[key]), isNumber[key] ? "n" : "");
  }
}
