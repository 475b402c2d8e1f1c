"use strict";
const data = JSON.parse(document.getElementById("data").content.textContent);
const MOST = 2000;
const MEASURES = {
  cka: ["similarity (CKA)", "to the same layer of " + data.reference + ": 1 for equal up to rotation and scale"],
  activations: ["cosine of activations", "with those of " + data.reference],
  weights: ["cosine of weights", "with those of " + data.reference],
  "dead units": ["dead units", "that give nothing for any of the pictures"],
  detectors: ["detectors", "units that detect a concept"],
  "unique concepts": ["unique concepts", "that the units of a layer detect"],
};
const hasConcepts = data.networks.some((network) => network.layers.some((row) => row.detectors !== null));
const COLUMNS = ["layer", "unit", "weight drift", "activation drift", "concept before", "concept after", "change",
  "most alike", "correlation", "its concept"].filter((name) => hasConcepts || !/concept|change/.test(name));
const id = (name) => document.getElementById(name);
const kind = (column) => (/^unit$|drift|correlation/.test(column) ? "n" : "");
let key = "activation drift", down = true;

function add(parent, tag, text, kind) {
  const cell = document.createElement(tag);
  cell.textContent = text;
  if (kind) cell.className = kind;
  parent.append(cell);
  return cell;
}

function addOptions(select, texts) {
  for (const text of texts) add(select, "option", text);
}

function shown(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  return Math.abs(value) < 0.001 ? value.toExponential(1) : value.toFixed(3);
}

function addHeat(row, value, most, darkest = 0.55) {
  const cell = add(row, "td", shown(value), "n");
  const share = value === null || !most ? 0 : Math.min(Math.max(value / most, 0), 1);
  if (share) cell.style.backgroundColor = "rgb(60 130 220 / " + (darkest * share).toFixed(3) + ")";
  return cell;
}

function head(table, texts, numbersFrom) {
  const row = document.createElement("tr");
  texts.forEach((text, k) => add(row, "th", text, k >= numbersFrom ? "n" : ""));
  table.tHead.replaceChildren(row);
}

function drawLayers() {
  const measure = measures[id("measure").selectedIndex];
  const names = data.networks.map((network) => network.label);
  const maps = data.networks.map((network) => new Map(network.layers.map((row) => [row.layer, row])));
  const isLikeness = ["cka", "activations", "weights"].includes(measure);
  const others = maps.filter((_, k) => !isLikeness || data.networks[k].label !== data.reference);
  const layers = [...new Set(data.networks.flatMap((network) => network.layers.map((row) => row.layer)))]
    .filter((layer) => others.some((rows) => (rows.get(layer)?.[measure] ?? null) !== null));
  const counts = data.networks.flatMap((network) => network.layers.map((row) => row[measure] ?? 0));
  const most = isLikeness ? 1 : Math.max(...counts);
  id("meaning").textContent = MEASURES[measure][1];
  head(id("layers"), ["layer", "units", ...names, ...(data.converged ? ["converged"] : [])], 1);
  id("layers").tBodies[0].replaceChildren(...layers.map((layer) => {
    const row = document.createElement("tr");
    add(row, "td", layer);
    add(row, "td", shown(maps.find((rows) => rows.has(layer)).get(layer).units), "n");
    for (const rows of maps) addHeat(row, rows.get(layer)?.[measure] ?? null, most);
    if (data.converged) add(row, "td", shown(data.converged[layer]), "n");
    return row;
  }));
}

function drawConcepts() {
  const layer = id("concept-layer");
  const found = new Map();
  data.networks.forEach((network, k) => {
    for (const row of network.concepts.filter((row) => !layer.selectedIndex || row.layer === layer.value)) {
      const name = JSON.stringify([row.category, row.concept]);
      if (!found.has(name)) found.set(name, data.networks.map(() => 0));
      found.get(name)[k] += row.units;
    }
  });
  const most = Math.max(1, ...[...found.values()].flat());
  head(id("concepts"), ["category", "concept", ...data.networks.map((network) => network.label)], 2);
  id("concepts").tHead.querySelectorAll("th.n").forEach((cell) => {
    const link = document.createElement("a");
    link.textContent = cell.textContent;
    link.href = data.folders[cell.textContent] + "/report.html";
    cell.replaceChildren(link);
  });
  const rows = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, counts]) => {
    const row = document.createElement("tr");
    for (const text of JSON.parse(name)) add(row, "td", text);
    for (const count of counts) addHeat(row, count || null, most);
    return row;
  });
  const total = document.createElement("tr");
  add(total, "td", "unique");
  add(total, "td", "");
  data.networks.forEach((_, k) => add(total, "td", [...found.values()].filter((counts) => counts[k]).length, "n"));
  id("concepts").tBodies[0].replaceChildren(...rows, total);
}

function cellText(unit, name) {
  if (name.startsWith("concept ") && unit[name]) return unit[name] + " " + shown(unit[name.replace("concept", "iou")]);
  if (name === "most alike" && unit[name]?.startsWith(unit.layer + " ")) return unit[name].slice(unit.layer.length + 1);
  return shown(unit[name]);
}

function compare(one, other) {
  const [a, b] = [one[key], other[key]];
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "number" ? a - b : String(a).localeCompare(String(b));
  return (down ? -order : order) || one.unit - other.unit;
}

function drawUnits() {
  const pair = data.pairs[id("unit-pair").selectedIndex];
  const [layer, change, wanted] = [id("unit-layer"), id("change"), id("find").value.toLowerCase()];
  const units = pair.units.filter((unit) =>
    (!layer.selectedIndex || unit.layer === layer.value) && (!change.selectedIndex || unit.change === change.value) &&
    (unit["concept before"] + " " + unit["concept after"] + " " + unit["its concept"]).toLowerCase().includes(wanted));
  id("count").textContent = units.length + " units" + (units.length > MOST ? ", the first " + MOST + " are shown" : "");
  id("units").tBodies[0].replaceChildren(...units.sort(compare).slice(0, MOST).map((unit) => {
    const row = document.createElement("tr");
    for (const name of COLUMNS) {
      add(row, "td", cellText(unit, name), kind(name));
    }
    return row;
  }));
}

function drawSimilarity() {
  const pair = data.pairs[id("layer-pair").selectedIndex];
  head(id("similarity"), [pair.before + " ↓  " + pair.after + " →", ...pair.other_layers], 1);
  id("similarity").tBodies[0].replaceChildren(...pair.layers.map((layer, k) => {
    const row = document.createElement("tr");
    add(row, "td", layer);
    pair.similarity[k].forEach((value, column) => {
      const cell = addHeat(row, value, 1, 1);
      cell.textContent = "";
      cell.title = layer + ", " + pair.other_layers[column] + ": " + shown(value);
    });
    return row;
  }));
}

const measures = Object.keys(MEASURES).filter((name) => hasConcepts || !/detectors|concepts/.test(name));
addOptions(id("measure"), measures.map((name) => MEASURES[name][0]));
id("detected").hidden = !hasConcepts;
addOptions(id("concept-layer"), new Set(data.networks.flatMap((network) => network.concepts.map((row) => row.layer))));
addOptions(id("unit-layer"), new Set(data.pairs.flatMap((pair) => pair.layers)));
addOptions(id("change"), ["kept", "changed", "gained", "lost"]);
for (const select of [id("unit-pair"), id("layer-pair")]) {
  addOptions(select, data.pairs.map((pair) => pair.before + " → " + pair.after));
}
const buttons = document.createElement("tr");
for (const name of COLUMNS) {
  const button = document.createElement("button");
  button.textContent = name;
  button.onclick = () => {
    down = key === name ? !down : typeof data.pairs[0].units[0]?.[name] === "number";
    key = name;
    drawUnits();
  };
  add(buttons, "th", "", kind(name)).append(button);
}
id("units").tHead.replaceChildren(buttons);
id("measure").onchange = drawLayers;
id("concept-layer").onchange = drawConcepts;
id("unit-layer").onchange = id("find").oninput = id("change").onchange = drawUnits;
id("unit-pair").onchange = drawUnits;
id("layer-pair").onchange = drawSimilarity;
drawLayers();
drawConcepts();
drawUnits();
drawSimilarity();
