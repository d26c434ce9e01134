// Small helpers; every page works without them. No inline handlers: behaviour hangs on data- attributes.
"use strict";

(function () {
  const token = () => document.querySelector('meta[name="csrf-token"]')?.content || "";
  const inField = (el) => el && /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName);

  document.addEventListener("click", (e) => {
    const close = e.target.closest("[data-close]");
    if (close) close.closest(".alert").remove();
    document.querySelectorAll("details.drop[open]").forEach((d) => { if (!d.contains(e.target)) d.open = false; });
    if (e.target.closest("[data-print]")) window.print();
    const all = e.target.closest("[data-tick-all]");
    if (all) document.querySelectorAll(all.dataset.tickAll).forEach((box) => { box.checked = all.checked; });
  });

  // what is folded on the screen is printed unfolded
  window.addEventListener("beforeprint", () => document.querySelectorAll(".main details:not(.drop):not(.trash):not([open])").forEach((d) => { d.dataset.folded = "1"; d.open = true; }));
  window.addEventListener("afterprint", () => document.querySelectorAll("details[data-folded]").forEach((d) => { d.open = false; delete d.dataset.folded; }));

  // a choice that changes what a form asks: the form comes back with the same words and the new questions
  document.addEventListener("change", (e) => {
    const again = e.target.closest("[data-again]") && e.target.form?.querySelector('button[name="_again"]');
    if (again) again.click();
  });

  document.addEventListener("submit", (e) => {
    const ask = e.submitter?.dataset.confirm || e.target.dataset.confirm;
    if (ask && !window.confirm(ask)) { e.preventDefault(); return; }
    e.target.dataset.sent = "1";
  });

  document.addEventListener("keydown", (e) => {
    if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "s") {
      const save = document.querySelector('[data-key="save"]');
      if (save) { e.preventDefault(); save.click(); }
    } else if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") {
      const box = document.querySelector(".gsearch input[name=search]");
      if (box) { e.preventDefault(); box.focus(); }
    } else if (e.key === "Escape") {
      document.querySelectorAll("details.drop[open]").forEach((d) => { d.open = false; });
    } else if (!inField(document.activeElement) && !e.ctrlKey && !e.metaKey && !e.altKey) {
      const target = document.querySelector('[data-key="' + CSS.escape(e.key.toLowerCase()) + '"]');
      if (target) { e.preventDefault(); inField(target) ? target.focus() : target.click(); }
    }
  });

  // an unsaved form warns before it is left
  document.querySelectorAll("form[data-guard]").forEach((form) => {
    form.addEventListener("input", () => { form.dataset.dirty = "1"; });
    window.addEventListener("beforeunload", (e) => { if (form.dataset.dirty && !form.dataset.sent) e.preventDefault(); });
  });

  // a link to a field that is folded away opens it
  const wanted = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (wanted && wanted.matches("input,select,textarea")) { wanted.closest("details")?.setAttribute("open", ""); wanted.focus(); }

  // the first complaint gets the focus
  const wrong = document.querySelector(".is-wrong");
  if (wrong) wrong.focus();

  // a search box that asks the server for one row
  document.querySelectorAll("input[data-lookup]").forEach((box) => {
    const hidden = box.nextElementSibling, form = box.closest("[data-lookup-at]");
    let panel = null, timer = 0, asked = 0;
    const shut = () => { if (panel) panel.remove(); panel = null; box.setAttribute("aria-expanded", "false"); };
    const choose = (id, words) => { hidden.value = id; box.value = words; shut(); hidden.dispatchEvent(new Event("input", { bubbles: true })); };
    const show = (rows) => {
      shut();
      panel = document.createElement("div");
      panel.className = "panel";
      rows.forEach(([id, words]) => {
        const option = document.createElement("button");
        option.type = "button";
        option.textContent = words;
        option.addEventListener("click", () => choose(id, words));
        panel.append(option);
      });
      if (!rows.length) panel.textContent = box.dataset.nothing;
      box.parentNode.append(panel);
      box.setAttribute("aria-expanded", "true");
    };
    const ask = async () => {
      const mine = ++asked;
      const body = new URLSearchParams({ name: box.dataset.lookup, query: box.value }); // posted: what is typed stands in no address
      const answer = await fetch(form.dataset.lookupAt, { method: "POST", body, headers: { "X-CSRFToken": token() } });
      if (mine !== asked) return;
      if (answer.ok) show(await answer.json());
      else if (answer.status === 429) { // too often in this hour: the page says until when
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        show([]);
        panel.textContent = page.querySelector("h1").textContent;
      }
    };
    box.addEventListener("input", () => { hidden.value = ""; clearTimeout(timer); timer = setTimeout(ask, 200); });
    box.addEventListener("focus", () => { if (!box.value) ask(); });
    box.addEventListener("keydown", (e) => {
      if (!panel) return;
      const options = [...panel.querySelectorAll("button")], at = options.findIndex((o) => o.getAttribute("aria-selected"));
      if (e.key === "ArrowDown" || e.key === "ArrowUp") {
        e.preventDefault();
        options[at]?.removeAttribute("aria-selected");
        const next = options[(at + (e.key === "ArrowDown" ? 1 : -1) + options.length) % options.length];
        next?.setAttribute("aria-selected", "true");
      } else if (e.key === "Enter" && at >= 0) { e.preventDefault(); options[at].click(); } else if (e.key === "Escape") shut();
    });
    box.addEventListener("blur", () => setTimeout(shut, 200));
  });
})();

// fast entry: tick a part of a class without leaving what was typed; up and down move through a column of the grid
document.addEventListener("click", (e) => {
  const link = e.target.closest("a[data-tick]");
  if (!link || e.ctrlKey || e.metaKey) return;
  e.preventDefault();
  document.querySelectorAll(link.dataset.among).forEach((box) => { box.checked = box.matches(link.dataset.tick); });
});
document.addEventListener("keydown", (e) => {
  const box = e.key === "Enter" && e.target.closest(".scores input");
  if (box) {
    const boxes = [...box.form.querySelectorAll(".scores input:not([type=hidden])")];
    e.preventDefault(); (boxes[boxes.indexOf(box) + 1] || box).focus();
    return;
  }
  const cell = e.target.closest(".sheet-in input:not([type=checkbox])"), step = { ArrowUp: -1, ArrowDown: 1, Enter: 1 }[e.key];
  if (!cell || !step || e.ctrlKey || e.altKey || (cell.list && e.key !== "Enter")) return;
  const [name, row] = cell.name.split("-"), next = cell.form.elements[name + "-" + (Number(row) + step)];
  if (next) { e.preventDefault(); next.focus(); }
});

// what takes a while says so, and is not sent twice
document.querySelectorAll("form[data-busy]").forEach((form) => form.addEventListener("submit", (e) => {
  if (!e.defaultPrevented && e.submitter) setTimeout(() => { e.submitter.disabled = true; e.submitter.textContent = form.dataset.busy; });
}));

// what scrolls and holds nothing to step to is stepped to itself, and scrolled with the arrow keys
const scrolling = new ResizeObserver((seen) => seen.forEach(({ target: box }) => {
  const over = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  if (over && !box.querySelector("a[href], button, input, select, textarea, summary")) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
}));
document.querySelectorAll(".tbl, .steps, .paper").forEach((box) => scrolling.observe(box));

// a long writing says how far it is; without a script the same form waits for the page that follows
document.querySelectorAll("form[data-progress]").forEach((form) => form.addEventListener("submit", async (e) => {
  if (e.defaultPrevented || e.submitter?.name === "drop") return;
  e.preventDefault();
  const body = new URLSearchParams(new FormData(form)), bar = document.createElement("progress"), words = document.createElement("span");
  if (e.submitter?.name) body.append(e.submitter.name, e.submitter.value);
  form.querySelectorAll(".actbar button").forEach((button) => { button.disabled = true; });
  form.querySelector(".actbar .grow").replaceChildren(words, bar);
  words.textContent = form.dataset.progress + " ";
  const say = (text) => { words.textContent = text; words.className = "neg"; bar.remove(); };
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Progress": "1" } });
    if (!answer.headers.get("content-type")?.includes("ndjson")) { location.assign(answer.url); return; }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "", ended = false;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      lines.map((line) => JSON.parse(line)).forEach((step) => {
        if (step.to) { ended = true; location.assign(step.to); } else if (step.error) { ended = true; say(step.error); form.querySelectorAll(".actbar button").forEach((button) => { button.disabled = false; }); } else { bar.max = step.all; bar.value = step.done; words.textContent = form.dataset.progress + " " + step.done + " / " + step.all + " "; }
      });
    }
    if (!ended) say(form.dataset.broken);
  } catch { say(form.dataset.broken); }
}));
