"use strict";
(() => {
  const number = (text) => {
    const found = text.replace(/[,\s%]/g, "").match(/^-?\d+(\.\d+)?/);
    return found ? Number(found[0]) : null;
  };
  const before = (a, b) => {
    const x = number(a), y = number(b);
    if (x !== null && y !== null) return x - y;
    if (x !== null || y !== null) return x !== null ? -1 : 1;
    return a.localeCompare(b);
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending" && head.classList.contains("number")
          || head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = [...body.rows].sort((a, b) => before(a.cells[place].textContent, b.cells[place].textContent));
        body.append(...(down ? rows.reverse() : rows));
      });
    });
  }
  const data = document.getElementById("charts-data");
  if (data && window.Bokeh) {
    const [documents, items] = JSON.parse(data.textContent);
    window.Bokeh.embed.embed_items(documents, items);
  }
})();
