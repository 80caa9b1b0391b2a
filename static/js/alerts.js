// Keys of the alert queue and of one alert. Without them the same links and forms do the same.
(() => {
  const SETTING = "alert-keys";
  const help = document.getElementById("keys-help");
  const rows = [...document.querySelectorAll("tr[data-alert]")];
  const decision = document.getElementById("decision");
  const choices = decision ? [...decision.querySelectorAll("[name=disposition]")] : [];
  const reason = document.getElementById("reason_code");
  const claim = document.querySelector("form[data-claim]");
  let chosen = -1;

  const switchedOn = document.getElementById("keys-on");
  switchedOn.checked = localStorage.getItem(SETTING) !== "off";
  switchedOn.addEventListener("change", () => localStorage.setItem(SETTING, switchedOn.checked ? "on" : "off"));

  for (const button of document.querySelectorAll("[data-keys-help]")) {
    button.hidden = false;
    button.addEventListener("click", () => help.showModal());
  }

  function choose(step) {
    if (!rows.length) return;
    rows[chosen]?.classList.remove("chosen");
    chosen = Math.max(0, Math.min(rows.length - 1, chosen + step));
    rows[chosen].classList.add("chosen");
    const link = rows[chosen].querySelector("a");
    link.focus();
    rows[chosen].scrollIntoView({ block: "nearest" });
  }

  // Only the reasons that fit the disposition can be chosen; the server checks the same.
  function offerReasons() {
    const value = choices.find((choice) => choice.checked)?.value;
    for (const group of reason.querySelectorAll("optgroup")) {
      const fits = !value || group.dataset.disposition === value;
      group.disabled = !fits;
      group.hidden = !fits;
    }
    if (reason.selectedOptions[0]?.parentElement.disabled) reason.value = "";
  }

  function decide(place) {
    if (!choices[place]) return;
    choices[place].checked = true;
    offerReasons();
    reason.focus();
  }

  for (const choice of choices) choice.addEventListener("change", offerReasons);
  if (reason) {
    offerReasons();
    reason.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      decision.requestSubmit();
    });
  }

  const acts = {
    j: () => choose(1),
    k: () => choose(-1),
    o: () => rows[Math.max(chosen, 0)]?.querySelector("a").click(),
    e: () => claim?.requestSubmit(),
    1: () => decide(0),
    2: () => decide(1),
    3: () => decide(2),
    "/": () => document.querySelector('#rail a[href$="/transactions/"]')?.click(),
    "?": () => help.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target.closest("input:not([type=radio]), select, textarea")) return;
    if (!switchedOn.checked && event.key !== "?") return;
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
