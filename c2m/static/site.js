// Enlivens pages that already work without it. Prices, tiers and deadlines stay with the server.
"use strict";

const fill = (pattern, figures) => pattern.replace(/\{(\w+)\}/g, (_, name) => figures[name]);
const all = (selector, root = document) => root.querySelectorAll(selector);

// Countdown: the server's clock at load plus the time since, so a wrong clock on the device does no harm
function tick() {
  for (const el of all("[data-deadline]")) {
    el.startedAt ??= performance.now();
    const now = Date.parse(el.dataset.now) + performance.now() - el.startedAt;
    const left = Math.floor((Date.parse(el.dataset.deadline) - now) / 1000);
    const [days, hours, minutes, seconds] = [left / 86400, (left % 86400) / 3600, (left % 3600) / 60, left % 60].map(Math.floor);
    const pattern = left <= 0 ? "ended" : days ? "days" : "hours";
    const text = fill(el.dataset[pattern], { days, hours, minutes, seconds });
    if (el.textContent !== text) el.textContent = text;
    if (left <= 0) close();
  }
}

// The deadline passes while the page is open: nothing can be joined any more
function close() {
  for (const button of all("[data-while-open]")) button.disabled = true;
  for (const words of all("[data-once-closed]")) words.hidden = false;
}

// Variant matrix: pieces are counted here; money is asked of the server by htmx
function count(table) {
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const show = (cell, sum, none = "–") => { cell.textContent = sum ? number.format(sum) : none; };
  const columns = [];
  let total = 0;
  for (const row of all("tbody tr", table)) {
    let sum = 0;
    [...all("td", row)].forEach((cell, at) => {
      const input = cell.querySelector("input");
      if (!input) return;
      const pieces = Math.max(0, Number.parseInt(input.value, 10) || 0);
      input.classList.toggle("has", pieces > 0);
      sum += pieces;
      columns[at] = (columns[at] || 0) + pieces;
    });
    show(row.querySelector("[data-row-sum]"), sum);
    total += sum;
  }
  all("[data-column-sum]", table).forEach((cell, at) => show(cell, columns[at]));
  show(table.querySelector("[data-sum]"), total, "0");
}

function say(text) {
  document.getElementById("say").textContent = text;
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  const word = button.querySelector("span");
  const before = word.textContent;
  word.textContent = button.dataset.copied;
  say(button.dataset.copied);
  setTimeout(() => { word.textContent = before; }, 2000);
}

function enliven(root) {
  for (const button of all("[data-copy]", root)) button.hidden = !navigator.clipboard;
  for (const button of all("[data-theme-switch]", root)) {
    const chosen = document.documentElement.dataset.theme;
    const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    button.value = dark ? "light" : "dark";
  }
  for (const form of all("form[data-submit-on-change]", root)) {
    for (const button of all("button[type=submit]", form)) button.hidden = true;
  }
  tick();
}

document.addEventListener("input", (event) => {
  const table = event.target.closest("[data-matrix]");
  if (table) count(table);
});
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submit-on-change]");
  if (form) form.requestSubmit();
  const everything = event.target.closest("input[data-check-all]");
  if (everything) for (const box of all(`input[name="${everything.dataset.checkAll}"]`)) box.checked = everything.checked;
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of all("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("htmx:load", (event) => enliven(event.detail.elt));
document.addEventListener("htmx:responseError", () => say(document.getElementById("say").dataset.failed));
document.addEventListener("htmx:sendError", () => say(document.getElementById("say").dataset.offline));
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (form.method === "post" && !form.matches("[hx-post]")) {
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 4000);
  }
});

document.getElementById("form-errors")?.focus();
enliven(document);
setInterval(tick, 1000);
