"use strict";
// The pages' keys and buttons. Everything that people say is sent at once; what is only typed is kept in the browser.
(() => {
  const find = (selector, root = document) => root.querySelector(selector);
  const status = find("#status");
  let hiding = 0;

  function say(text, wrong = false) {
    clearTimeout(hiding);
    status.textContent = text;
    status.className = wrong ? "shown wrong" : "shown";
    hiding = setTimeout(() => { status.className = ""; }, wrong ? 8000 : 1500);
  }

  /** What the server answers to an act, or null after saying why there is nothing. */
  async function post(path, values) {
    let answer, told;
    try {
      answer = await fetch(path, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(values),
      });
      told = await answer.json();
    } catch {
      say("Not saved: the server does not answer. Start it again and open its new link; what you typed is kept.", true);
      return null;
    }
    if (answer.ok) return told;
    say(told.error, true);
    if (answer.status === 409 && document.body.dataset.key) setTimeout(() => location.reload(), 1500);
    return null;
  }

  // Drafts outlive a closed page and a stopped server.
  const draftName = (field) => `humpback-draft-${field.dataset.draft}`;
  const keepDraft = (field) => { try { localStorage.setItem(draftName(field), field.value); } catch { /* no storage */ } };
  const dropDraft = (field) => { try { localStorage.removeItem(draftName(field)); } catch { /* no storage */ } };
  const draftOf = (field) => { try { return localStorage.getItem(draftName(field)); } catch { return null; } };
  document.addEventListener("input", (event) => {
    if (event.target.dataset.draft) keepDraft(event.target);
  });

  /** Runs the act of a key or a button, one at a time: a key that comes while one is under way is not for what it shows. */
  let busy = false;
  async function once(act) {
    if (busy) return;
    busy = true;
    try { await act(); } finally { busy = false; }
  }

  function listen(byKey, byButton) {
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !"jk".includes(event.key)) return;
      if (event.target.closest("input, textarea, select, dialog")) return;
      const act = byKey[event.key];
      if (!act) return;
      event.preventDefault();
      once(act);
    });
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do], [data-choice]");
      const act = button && (byButton[button.dataset.do] || button.dataset.choice && byButton.choice);
      if (!act) return;
      event.preventDefault();
      once(() => act(button));
    });
  }

  function labelPage() {
    const pane = find("#pane"), list = find("#list"), help = find("#help");
    const current = () => find("[aria-current]", list);
    const shown = () => find("article", pane);
    const links = () => [...list.querySelectorAll("a[data-id]")];

    /** Replaces the pane by what the server made; it is parsed without running anything. */
    function fill(html) {
      const parsed = new DOMParser().parseFromString(html, "text/html");
      pane.replaceChildren(...parsed.body.childNodes);
      pane.scrollTop = 0;
      openDraft();
    }

    function openDraft() {
      const field = find("textarea", pane);
      const draft = field && draftOf(field);
      if (draft === null || draft === undefined) return;
      if (draft === field.value) { dropDraft(field); return; }
      field.value = draft;
      find(".edit", pane).hidden = false;
      say("Your edit was not saved yet; it is here again.");
    }

    async function load(id) {
      try {
        const answer = await fetch(`/row/${encodeURIComponent(id)}`);
        if (answer.ok) { fill(await answer.text()); return true; }
        say(answer.status === 403 ? "This page is from an earlier start of the server. Open the printed link."
          : "This pair cannot be shown.", true);
      } catch {
        say("The server does not answer. Start it again and open its new link.", true);
      }
      return false;
    }

    async function show(link) {
      if (!await load(link.dataset.id)) return;
      const before = current();
      if (before) before.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      link.scrollIntoView({ block: "nearest" });
      document.body.classList.add("asked");
      history.replaceState(null, "", link.href);
      if (!pane.contains(document.activeElement)) pane.focus({ preventScroll: true });
    }

    async function step(by) {
      const all = links(), next = all[all.indexOf(current()) + by];
      if (next) { await show(next); return; }
      const page = by > 0 ? list.dataset.next : (find("a[rel=prev]", list) || {}).href;
      if (page) location.assign(page);
      else say(by > 0 ? "That was the last one." : "This is the first one.");
    }

    function tell(told) {
      for (const name of ["good", "bad", "left"]) find(`#${name}`).textContent = told[name];
      find("progress").value = told.good + told.bad;
      const link = links().find((one) => one.dataset.id === told.id);
      if (link) {
        link.dataset.verdict = told.verdict || "";
        find(".said", link).textContent = { good: " · accepted", bad: " · rejected" }[told.verdict] || "";
        find(".edited", link).textContent = told.edited ? " · edited" : "";
      }
      return link;
    }

    async function label(verdict) {
      const article = shown();
      if (!article) return;
      if (!find(".edit", article).hidden) { say("Save or cancel your edit first.", true); return; }
      const told = await post("/label", { id: article.dataset.id, verdict });
      if (!told) return;
      tell(told);
      fill(told.pane);
      say(verdict === "good" ? "Accepted" : "Rejected");
      await step(1);
    }

    function edit() {
      const form = find(".edit", pane);
      if (!form) return;
      form.hidden = false;
      const field = find("textarea", form);
      field.focus();
      field.setSelectionRange(field.value.length, field.value.length);
    }

    function leave() {
      const form = find(".edit", pane), field = find("textarea", form);
      dropDraft(field);
      field.value = field.defaultValue;
      form.hidden = true;
      pane.focus();
    }

    async function save(instruction) {
      const article = shown(), field = find("textarea", article);
      const told = await post("/label", { id: article.dataset.id, instruction });
      if (!told) return;
      dropDraft(field);
      tell(told);
      fill(told.pane);
      say("Instruction saved");
      pane.focus();
    }

    async function undo() {
      const told = await post("/undo", {});
      if (!told) return;
      const link = tell(told);
      say("Undone");
      if (link) await show(link);
      else location.assign(`/?row=${encodeURIComponent(told.id)}`);
    }

    const search = () => { document.body.classList.remove("asked"); find("#q").select(); find("#q").focus(); };
    const showHelp = () => { if (!help.open) help.showModal(); };
    const turn = (rel) => { const link = find(`a[rel=${rel}]`, list); if (link) location.assign(link.href); };
    const accept = () => label("good"), reject = () => label("bad"), next = () => step(1), before = () => step(-1);
    listen(
      {
        j: next, ArrowDown: next, k: before, ArrowUp: before, a: accept, r: reject, e: edit, u: undo,
        "/": search, "?": showHelp, n: () => turn("next"), p: () => turn("prev"),
      },
      {
        good: accept, bad: reject, edit, undo, leave, help: showHelp, restore: () => save(null),
        back: () => { document.body.classList.remove("asked"); (current() || list).scrollIntoView({ block: "center" }); },
      },
    );
    list.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-id]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      once(() => show(link));
    });
    pane.addEventListener("submit", (event) => {
      event.preventDefault();
      once(() => save(find("textarea", pane).value));
    });
    pane.addEventListener("keydown", (event) => {
      if (!event.target.matches("textarea")) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) once(() => save(event.target.value));
      else if (event.key === "Escape") leave();
      else return;
      event.preventDefault();
    });
    find("#q").addEventListener("keydown", (event) => { if (event.key === "Escape") event.target.blur(); });
    find(".filters").addEventListener("change", (event) => {
      if (event.target.matches("select")) event.currentTarget.requestSubmit();
    });
    const chosen = current();
    if (chosen) chosen.scrollIntoView({ block: "nearest" });
    openDraft();
  }

  function arenaPage() {
    const reason = find("#reason");
    const vote = async (choice) => {
      const told = await post("/vote", { key: document.body.dataset.key, choice, reason: reason.value });
      if (!told) return;
      dropDraft(reason);
      location.reload();
    };
    const reload = async (path) => { if (await post(path, {})) location.reload(); };
    const undo = () => reload("/undo");
    const byKey = { u: undo };
    if (reason) {
      reason.value = draftOf(reason) || "";
      const first = () => vote("first"), second = () => vote("second"), same = () => vote("same");
      Object.assign(byKey, {
        1: first, ArrowLeft: first, 2: second, ArrowRight: second, 0: same, "=": same, w: () => reason.focus(),
      });
      reason.addEventListener("keydown", (event) => { if (event.key === "Escape") reason.blur(); });
    }
    listen(byKey, { undo, end: () => reload("/end"), choice: (button) => vote(button.dataset.choice) });
  }

  const page = document.body.dataset.page;
  if (page === "label") labelPage();
  if (page === "arena") arenaPage();
})();
