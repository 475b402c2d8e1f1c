"use strict";
const data = JSON.parse(document.getElementById("data").content.textContent);
const body = document.querySelector("#units tbody");
const [find, layer, only] = ["find", "layer", "only"].map((id) => document.getElementById(id));
const MOST = 2000;
let key = "iou", down = true;

function addCell(row, text, isNumber) {
  const cell = document.createElement("td");
  cell.textContent = text;
  if (isNumber) cell.className = "n";
  row.append(cell);
  return cell;
}

function rowOf(unit) {
  const row = document.createElement("tr");
  if (!unit.detector) row.className = "off";
  addCell(row, unit.layer);
  addCell(row, unit.unit, true);
  addCell(row, unit.concept);
  addCell(row, unit.category);
  for (const name of ["iou", "ceiling", "chance"]) addCell(row, unit[name].toFixed(3), true);
  addCell(row, unit.threshold.toPrecision(3), true);
  return row;
}

function compare(one, other) {
  const [a, b] = [one[key], other[key]];
  const order = typeof a === "number" ? a - b : String(a).localeCompare(String(b));
  return (down ? -order : order) || one.unit - other.unit;
}

function draw() {
  const wanted = find.value.toLowerCase();
  const units = data.units.filter((unit) =>
    (!layer.selectedIndex || unit.layer === layer.value) && (!only.checked || unit.detector) &&
    (unit.concept + " " + unit.category).toLowerCase().includes(wanted));
  const more = units.length > MOST ? ", the first " + MOST + " are shown" : "";
  document.getElementById("count").textContent = units.length + " units" + more;
  body.replaceChildren(...units.sort(compare).slice(0, MOST).map(rowOf));
}

for (const name of data.layers) {
  const option = document.createElement("option");
  option.textContent = name;
  layer.append(option);
}
for (const button of document.querySelectorAll("th button")) {
  button.onclick = () => {
    down = key === button.dataset.key ? !down : typeof data.units[0]?.[button.dataset.key] === "number";
    key = button.dataset.key;
    draw();
  };
}
find.oninput = layer.onchange = only.onchange = draw;
draw();
