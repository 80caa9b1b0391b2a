// Small manners of every page: menus that close, buttons that copy, tables that open a row.
(() => {
  const menus = () => document.querySelectorAll("details.menu[open]");

  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // "/" goes to the search box of the header, where a page has none of its own.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input:not([type=radio], [type=checkbox]), select, textarea, dialog[open]")) return;
    const box = document.getElementById("search-box");
    if (!box || box.hasAttribute("data-no-key") || document.getElementById("q")) return;
    event.preventDefault();
    box.focus();
  });

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
    const said = document.getElementById("messages");
    said.replaceChildren(Object.assign(document.createElement("p"), {
      className: "visually-hidden", textContent: button.dataset.copied,
    }));
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 2000);
  }
})();
