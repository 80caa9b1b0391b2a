// Keys of the alert queue and of one alert, the bar of chosen alerts, drafts, the seconds of undo.
// Without scripts the same links and forms do the same.
(() => {
  const help = document.getElementById("keys-help");
  const switchedOff = help.hasAttribute("data-off");
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];

  for (const button of all("[data-keys-help]")) {
    button.hidden = false;
    button.addEventListener("click", () => help.showModal());
  }
  if (switchedOff) document.documentElement.classList.add("no-keys");

  // The verdict: a disposition, then one of its reasons; the server checks the same. -------------
  const REASON_KEYS = "123456789abcdef";
  const dispositions = all(".verdict [name=disposition]");
  const groups = all(".verdict-reasons");
  const verdict = dispositions[0]?.form;
  let choosingReason = false;

  function offerReasons() {
    const value = dispositions.find((choice) => choice.checked)?.value;
    for (const group of groups) {
      const fits = group.dataset.disposition === value;
      group.hidden = !fits;
      for (const reason of group.querySelectorAll("input")) {
        reason.disabled = !fits;
        if (!fits) reason.checked = false;
      }
    }
  }

  for (const hint of all("[data-place]")) {
    hint.textContent = REASON_KEYS[Number(hint.dataset.place)];
    hint.hidden = false;
  }
  for (const choice of dispositions) choice.addEventListener("change", offerReasons);
  if (dispositions.length) offerReasons();

  function judge(place) {
    if (!dispositions[place]) return;
    chooseCurrentIfNone();
    dispositions[place].checked = true;
    offerReasons();
    choosingReason = true;
    dispositions[place].focus();
  }

  function giveReason(key) {
    const reasons = groups.find((group) => !group.hidden)?.querySelectorAll("input") ?? [];
    const reason = reasons[REASON_KEYS.indexOf(key)];
    if (!reason) return false;
    reason.checked = true;
    reason.focus();
    return true;
  }

  function judgeAgain() {
    choosingReason = false;
    for (const choice of dispositions) choice.checked = false;
    offerReasons();
  }

  // The queue: a row at hand, and rows that are chosen. ------------------------------------------
  const rows = all("tr[data-alert]");
  const bar = document.getElementById("bulk-bar");
  const boxes = all("input[name=alert]");
  const chooseAll = document.getElementById("choose-all");
  let current = -1, last = -1;

  function move(step) {
    if (!rows.length) return scrollBy({ top: step * 120 });
    rows[current]?.classList.remove("chosen");
    current = Math.max(0, Math.min(rows.length - 1, current + step));
    rows[current].classList.add("chosen");
    rows[current].querySelector("a").focus({ preventScroll: true });
    rows[current].scrollIntoView({ block: "nearest" });
  }

  const boxOf = (place) => rows[place]?.querySelector("input[name=alert]");

  function choose(range) {
    const box = boxOf(current);
    if (!box) return;
    if (range && last >= 0) {
      const [from, to] = [Math.min(last, current), Math.max(last, current)];
      for (let place = from; place <= to; place++) if (boxOf(place)) boxOf(place).checked = true;
    } else {
      box.checked = !box.checked;
    }
    last = current;
    showBar();
  }

  function chooseCurrentIfNone() {
    if (!bar || boxes.some((box) => box.checked)) return;
    if (current < 0) move(1);
    if (boxOf(current)) boxOf(current).checked = true;
    showBar();
  }

  function showBar() {
    if (!bar) return;
    const chosen = boxes.filter((box) => box.checked);
    bar.hidden = !chosen.length;
    if (chooseAll) chooseAll.checked = chosen.length === boxes.length;
    const said = bar.querySelector(".act-bar-count");
    const currencies = new Set(chosen.map((box) => box.dataset.currency));
    const words = [chosen.length === 1 ? said.dataset.one : said.dataset.many.replace("%(n)s", chosen.length)];
    if (currencies.size === 1) words.push(said.dataset.together.replace("%(amount)s", together(chosen, [...currencies][0])));
    said.textContent = chosen.length ? words.join(" · ") : "";
  }

  function together(chosen, currency) {
    const format = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency });
    const minor = chosen.reduce((sum, box) => sum + Number(box.dataset.amount), 0);
    return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
  }

  if (bar) {
    for (const box of boxes) box.addEventListener("change", showBar);
    chooseAll.hidden = false;
    chooseAll.addEventListener("change", () => {
      for (const box of boxes) box.checked = chooseAll.checked;
      showBar();
    });
    showBar();
  }

  // The seconds in which the last decision can be undone. ----------------------------------------
  const undo = $("form[data-undo]");
  if (undo) {
    const until = Date.now() + Number(undo.dataset.undo) * 1000;
    const seconds = undo.querySelector("[data-seconds]");
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      if (left <= 0) return undo.remove();
      seconds.textContent = left;
      setTimeout(tick, 250);
    };
    tick();
  }

  // What is being written survives a lost session or a closed window. -----------------------------
  const draft = $("form[data-draft]");
  if (draft) {
    const name = `draft:${draft.dataset.draft}`;
    const note = draft.querySelector("textarea");
    if (!note.value) note.value = sessionStorage.getItem(name) ?? "";
    note.addEventListener("input", () => sessionStorage.setItem(name, note.value));
  }
  const decided = $("[data-decided]");
  if (decided) sessionStorage.removeItem(`draft:${decided.dataset.decided}`);

  // Keys. ------------------------------------------------------------------------------------------
  function press(selector) {
    chooseCurrentIfNone();
    $(selector)?.click();
  }

  function putOff() {
    chooseCurrentIfNone();
    const fold = document.getElementById("snooze");
    if (!fold) return;
    fold.open = true;
    fold.querySelector("select, input:not([type=hidden])").focus();
  }

  function decideNow() {
    const send = document.getElementById("bulk-decide");
    verdict.requestSubmit(send ?? undefined);
  }

  const acts = {
    j: () => move(1),
    k: () => move(-1),
    o: () => rows[Math.max(current, 0)]?.querySelector("a").click(),
    x: () => choose(false),
    X: () => choose(true),
    e: () => (bar ? press("#bulk-claim") : $("form[data-claim]")?.requestSubmit()),
    s: putOff,
    u: () => $("form[data-undo]")?.requestSubmit(),
    n: () => document.getElementById("start")?.requestSubmit(),
    a: () => {
      const fold = document.getElementById("assessment");
      if (!fold) return;
      fold.open = !fold.open;
      fold.querySelector("summary").focus();
    },
    1: () => judge(0),
    2: () => judge(1),
    3: () => judge(2),
    "/": () => (document.getElementById("q") ?? document.getElementById("search-box"))?.focus(),
    "?": () => help.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open || event.isComposing) return;
    const typing = event.target.closest("input:not([type=radio], [type=checkbox]), select, textarea");
    if (event.key === "Escape" && choosingReason) return judgeAgain();
    if (typing) return;
    if (switchedOff && event.key !== "?") return;
    if (event.key === "Enter" && choosingReason && verdict) {
      event.preventDefault();
      return decideNow();
    }
    if (choosingReason && giveReason(event.key)) return event.preventDefault();
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
