"use strict";
// Names from data sets and runs go into the page as text nodes and attributes alone, never as HTML.

const data = JSON.parse(document.getElementById("report-data").textContent);

// el("td", {class: "x", onclick: f}, "text", child): an element.
function el(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const whole = (value) => (isNumber(value) ? value.toLocaleString("en-US") : "–");
// Metrics: -1 stands for "no ground truth counts".
const metric = (value, digits = 3) =>
  (isNumber(value) && value >= 0 ? value.toFixed(digits) : "–");
const percent = (value) => (isNumber(value) ? (100 * value).toFixed(1) + " %" : "–");

function short(value) {
  if (!isNumber(value)) return "–";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) return value.toExponential(
    2);
  return String(Number(value.toPrecision(4)));
}

function duration(seconds) {
  if (!isNumber(seconds)) return "–";
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return Math.round(seconds) + " s";
  if (minutes < 60) return minutes + " min";
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` :
    `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
const counted = (count, one, many = one + "s") => `${whole(count)} ${count === 1 ? one : many}`;

// A section of the page with its entry in the navigation.
function part(id, title, hint, parent = document.getElementById("main")) {
  const made = el("section", { id, class: "part", "aria-labelledby": id + "-title" },
    el("h2", { id: id + "-title" }, title), hint ? el("p", { class: "soft" }, hint) : null);
  parent.append(made);
  document.getElementById("sections").append(el("a", { href: "#" + id }, title));
  return made;
}

function card(title, hint, ...children) {
  const head = el("div", { class: "head" }, el("h3", {}, title));
  const made = el("div", { class: "card" }, title ? head : null,
    hint ? el("p", { class: "soft" }, hint) : null, ...children);
  made.head = head;
  return made;
}

function fact(value, label, detail, kind) {
  return el("div", { class: "fact " + (kind || "") }, el("b", {}, value), el("span", {}, label),
    detail ? el("small", {}, detail) : null);
}

// A table of texts; cells may be elements. `numeric`: columns of numbers on the right.
function table(header, rows, kind = "list") {
  const body = el("tbody", {}, rows.map((row) => {
    const cells = Array.isArray(row) ? row : row.cells;
    return el("tr", { class: row.kind }, cells.map((cell) => el("td", {}, cell)));
  }));
  return el("table", { class: kind }, el("thead", {}, el("tr", {}, header.map((name) =>
    el("th", { scope: "col" }, name)))), body);
}

// A box that scrolls, also by keyboard.
const scroller = (label, child) =>
  el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, child);

// A bar as long as the part that `value` is of `most`.
function meter(value, most) {
  const bar = el("i", {});
  bar.style.width = `${Math.max(0, Math.min(100, 100 * value / most))}%`;
  return el("div", { class: "meter", "aria-hidden": "true" }, bar);
}

// A list to choose from: [[value, text], ...].
const selectOf = (label, choices) => el("select", { "aria-label": label },
  choices.map(([value, text]) => el("option", { value }, text)));
