// Makes the pages nicer; every one of them works without it.
"use strict";

// Live look-up of an inventory number: asks for the same fragment the server draws without script.
for (const input of document.querySelectorAll("[data-look-up]")) {
  const target = document.getElementById(input.dataset.target);
  const organisation = document.querySelector("[data-organisation]");
  let timer = 0;
  let running = null;
  const ask = async () => {
    running?.abort();
    running = new AbortController();
    const query = new URLSearchParams({ tag: input.value.trim(), organisation: organisation?.value ?? "" });
    try {
      const answer = await fetch(`${input.dataset.lookUp}?${query}`, { signal: running.signal });
      if (!answer.ok || answer.redirected) return;
      const html = await answer.text();
      const found = new DOMParser().parseFromString(html, "text/html").querySelector(".found");
      if (found) {
        target.className = found.className;
        target.replaceChildren(...found.childNodes);
      }
    } catch (error) {
      if (error.name !== "AbortError") target.replaceChildren();
    }
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(ask, 250); };
  input.addEventListener("input", later);
  organisation?.addEventListener("change", later);
  // Suggestions and own machines are submit buttons; with script they only fill the field.
  input.form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=take_tag]");
    if (!button) return;
    event.preventDefault();
    input.value = button.value;
    input.focus();
    ask();
  });
}

// A click on a tag, serial or command copies it.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    const title = button.title;
    button.dataset.done = "";
    button.title = document.body.dataset.copied;
    setTimeout(() => { delete button.dataset.done; button.title = title; }, 1500);
  } catch { /* the text can still be selected */ }
});

// Only one sheet or action is open at a time; Escape closes it.
const closers = () => document.querySelectorAll("details.menu[open], details.action[open]");
document.addEventListener("click", (event) => {
  for (const open of closers()) if (!open.contains(event.target)) open.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const open of closers()) { open.open = false; open.querySelector("summary").focus(); }
});

// Selects that filter do so at once; their button stays for those without script.
for (const form of document.querySelectorAll("form[data-auto]")) {
  form.addEventListener("change", (event) => { if (event.target.matches("select, [type=checkbox]")) form.requestSubmit(); });
}

// What was typed survives an expired session, until the form is sent; the next person never sees it.
const drafts = `draft:${document.body.dataset.owner ?? ""}:`;
const forgetDrafts = (kept) => {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith("draft:") && !(kept && key.startsWith(kept))) sessionStorage.removeItem(key);
};
if (document.body.dataset.owner) forgetDrafts(drafts);
document.querySelector("form.leave")?.addEventListener("submit", () => forgetDrafts());
for (const form of document.querySelectorAll("form[data-draft]")) {
  const key = `${drafts}${form.dataset.draft}`;
  const fields = () => [...form.elements].filter((it) => it.name && !["hidden", "file"].includes(it.type) && it.tagName !== "BUTTON");
  const fresh = fields().every((it) => it.type === "radio" || it.tagName === "SELECT" || it.value === it.defaultValue);
  const saved = JSON.parse(sessionStorage.getItem(key) ?? "null");
  if (saved && fresh && !form.dataset.checked) {
    for (const field of fields()) {
      if (field.type === "radio") field.checked = saved[field.name] === field.value;
      else if (field.type === "checkbox") field.checked ||= Boolean(saved[`${field.name} ${field.value}`]);
      else if (field.name in saved && !field.value) field.value = saved[field.name];
    }
  }
  form.addEventListener("input", () => {
    const values = {};
    for (const it of fields()) {
      if (it.type === "checkbox") values[`${it.name} ${it.value}`] = it.checked;
      else if (it.type !== "radio" || it.checked) values[it.name] = it.value;
    }
    sessionStorage.setItem(key, JSON.stringify(values));
  });
}
for (const sent of document.querySelectorAll("[data-draft-sent]")) sessionStorage.removeItem(`${drafts}${sent.dataset.draftSent}`);

// Says that this ticket is open here, and who else has it open.
const BEAT_MS = 30000;
for (const place of document.querySelectorAll("[data-presence]")) {
  const csrf = document.querySelector("input[name=csrf]")?.value ?? "";
  const beat = async () => {
    if (document.hidden) return;
    const writing = [...document.querySelectorAll(".composer textarea")].some((it) => it.value !== it.defaultValue) ? "1" : "";
    try {
      const answer = await fetch(place.dataset.presence, { method: "POST", body: new URLSearchParams({ csrf, writing }) });
      if (!answer.ok || answer.redirected) return;
      const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".present");
      if (found) place.replaceChildren(found);
    } catch { /* the next beat tries again */ }
  };
  beat();
  setInterval(beat, BEAT_MS);
}

// The queue stays true: what changed in a row is changed in place, no row moves, new tickets are announced above.
for (const list of document.querySelectorAll("[data-live]")) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href);
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const rows = new Map([...fresh.querySelectorAll("[data-number]")].map((it) => [it.dataset.number, it]));
      for (const row of list.querySelectorAll("[data-number]")) {
        const now = rows.get(row.dataset.number);
        rows.delete(row.dataset.number);
        if (!now) continue;
        for (const part of row.querySelectorAll("[data-part]")) {
          const other = now.querySelector(`[data-part=${part.dataset.part}]`);
          if (other && other.innerHTML !== part.innerHTML) part.replaceChildren(...other.childNodes);
        }
      }
      const news = document.getElementById("queue-news");
      if (news) news.hidden = rows.size === 0;
    } catch { /* the next round tries again */ }
  }, BEAT_MS);
}

// The bell shows how many notices are unread.
const bell = document.querySelector("nav a[href='/notices']");
if (bell) {
  fetch("/notices/count").then(async (answer) => {
    const unread = answer.ok && !answer.redirected ? (await answer.text()).trim() : "";
    if (!unread) return;
    const badge = document.createElement("span");
    badge.className = "unread";
    badge.textContent = unread;
    bell.append(badge);
  }).catch(() => { /* the page behind it still says */ });
}

// Single-key shortcuts, unless switched off: j and k move, / searches, n opens a new ticket.
if (document.body.dataset.shortcuts === "on") {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const rows = [...document.querySelectorAll("a.open")];
    const at = rows.indexOf(document.activeElement);
    if (event.key === "j") rows[Math.min(at + 1, rows.length - 1)]?.focus();
    else if (event.key === "k") rows[Math.max(at - 1, 0)]?.focus();
    else if (event.key === "/") { event.preventDefault(); document.querySelector("[type=search]")?.focus(); }
    else if (event.key === "n") { const link = document.querySelector("nav a[href='/tickets/new']"); if (link) location.href = link.href; }
  });
}
// Ctrl+Enter sends the form one is writing in.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) event.target.form.requestSubmit();
});

// Files: pasted pictures and dropped files join those chosen by hand, and what will be sent is listed.
for (const field of document.querySelectorAll("[data-attach]")) {
  const input = field.querySelector("input[type=file]");
  const chosen = field.querySelector(".chosen");
  let kept = [];
  field.querySelector("[data-scripted]").hidden = false;
  const show = () => chosen.replaceChildren(...[...input.files].map((file) => {
    const item = document.createElement("li");
    const size = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "kilobyte", maximumFractionDigits: 0 });
    item.textContent = `${file.name} (${size.format(Math.max(1, file.size / 1000))})`;
    return item;
  }));
  const add = (files) => {
    const all = new DataTransfer();
    for (const file of [...kept, ...files]) all.items.add(file);
    input.files = all.files;
    kept = [...all.files];
    show();
  };
  input.addEventListener("change", () => { if (input.files.length) add([...input.files]); else { kept = []; show(); } });
  field.addEventListener("dragover", (event) => { event.preventDefault(); field.classList.add("over"); });
  field.addEventListener("dragleave", () => field.classList.remove("over"));
  field.addEventListener("drop", (event) => { event.preventDefault(); field.classList.remove("over"); add([...event.dataTransfer.files]); });
  input.form.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    const at = new Date().toTimeString().slice(0, 8).replaceAll(":", "-");
    add(files.map((file) => file.name === "image.png" ? new File([file], `capture-${at}.png`, { type: file.type }) : file));
  });
}
