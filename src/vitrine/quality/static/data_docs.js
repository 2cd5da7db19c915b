/* Stands in for what Great Expectations' pages load from the network beside Bootstrap and jQuery:
   tables that sort, search and filter (as bootstrap-table), and charts (as Vega, but as tables). */
(function ($) {
  "use strict";

  const SIGNS = {
    "fa-check-circle": "passed",
    "fa-times": "failed",
    "fa-exclamation-triangle": "could not be checked",
  };

  const isTrue = (value) => String(value).toLowerCase() === "true";
  const named = (value) => (typeof value === "string" ? window[value] : value);
  const asText = (html) => $("<div>").html(html).text().trim();

  function sortKey(cell) {
    return cell.dataset.sort || cell.textContent.trim() || cell.innerHTML.trim();
  }

  function compare(a, b) {
    const difference = Number(a) - Number(b);
    return Number.isNaN(difference) ? a.localeCompare(b, undefined, { numeric: true }) : difference;
  }

  function sortBy($table, index, descending) {
    const sign = descending ? -1 : 1;
    const $rows = $table.find("> tbody > tr").not(".nothing-found");
    const key = (row) => sortKey(row.cells[index]);
    $table.children("tbody").append($rows.get().sort((a, b) => sign * compare(key(a), key(b))));
    $table.find("> thead th").removeAttr("aria-sort").eq(index)
      .attr("aria-sort", descending ? "descending" : "ascending");
  }

  function makeSortable($table, $heading) {
    const index = $heading.index();
    const button = $('<button type="button" class="sort">').text($heading.text().trim());
    button.on("click", () => sortBy($table, index, $heading.attr("aria-sort") === "ascending"));
    $heading.empty().append(button);
  }

  function applyFilters($table) {
    const words = $table.data("search-box") ? $table.data("search-box").val().toLowerCase() : "";
    const filters = ($table.data("filters") || []).filter((filter) => filter.control.val());
    const $rows = $table.find("> tbody > tr").not(".nothing-found");
    $rows.each((_, row) => {
      const fits = filters.every(({ control, index, test }) => test(row.cells[index], control.val()));
      $(row).toggle(fits && row.textContent.toLowerCase().includes(words.trim()));
    });
    const nothing = $rows.get().every((row) => row.style.display === "none");
    $table.find("> tbody > .nothing-found").remove();
    if (nothing) {
      const cell = $("<td>").attr("colspan", 99).text("Nothing found");
      $("<tr class='nothing-found'>").append(cell).appendTo($table.children("tbody"));
    }
  }

  function addSearch($table, $toolbar) {
    const box = $('<input type="search" class="form-control form-control-sm table-search">')
      .attr({ placeholder: "Search", "aria-label": "Search in the table" })
      .on("input", () => applyFilters($table));
    $table.data("search-box", box);
    const bar = $('<div class="table-tools">').append($toolbar, box);
    const $frame = $table.parent(".table-frame");
    bar.insertBefore($frame.length ? $frame : $table);
  }

  const shown = (cell) => cell.dataset.filter || cell.textContent.trim();
  const TESTS = {
    select: (cell, value) => shown(cell) === value,
    input: (cell, value) => shown(cell).toLowerCase().includes(value.toLowerCase()),
    datepicker: (cell, value) => shown(cell).startsWith(value),
  };

  function filterControl($table, column, index) {
    if (column.filterControl === "select") {
      const cells = $table.find(`> tbody > tr > td:nth-child(${index + 1})`).get();
      const values = [...new Set(cells.map(shown))].sort(compare);
      return $('<select class="custom-select custom-select-sm">')
        .append(["", ...values].map((value) => $("<option>").val(value).text(value)));
    }
    const type = column.filterControl === "datepicker" ? "date" : "text";
    return $('<input class="form-control form-control-sm">').attr("type", type);
  }

  function addFilters($table, columns) {
    const filters = [];
    const row = $("<tr class='filters'>");
    columns.forEach((column, index) => {
      const cell = $("<td>").appendTo(row);
      if (!TESTS[column.filterControl]) return;
      const control = filterControl($table, column, index).appendTo(cell)
        .attr("aria-label", `Filter by ${column.title}`)
        .on("input change", () => applyFilters($table));
      filters.push({ control, index, test: TESTS[column.filterControl] });
    });
    $table.children("thead").append(row);
    $table.data("filters", filters);
  }

  function cell(column, row, link) {
    const html = row[column.field] === undefined ? "" : String(row[column.field]);
    const $cell = $("<td>").css("text-align", column.align || "");
    const sort = row[column.sortName];
    if (sort !== undefined) $cell.attr("data-sort", sort);
    const collect = named(column.filterDataCollector);
    if (collect) $cell.attr("data-filter", collect(html, row, html));
    return link ? $cell.append($("<a>").attr("href", link).html(html)) : $cell.html(html);
  }

  function line($table, options, row, index) {
    const attributes = options.rowAttributes ? named(options.rowAttributes)(row, index) : {};
    const style = options.rowStyle ? named(options.rowStyle)(row, index) : {};
    const $row = $("<tr>").attr(attributes).css(style.css || {});
    // The first plain cell is a link, for the keyboard and for new tabs; a click works anywhere.
    let link = attributes["data-href"];
    options.columns.forEach((column) => {
      const plain = link && asText(row[column.field]) === String(row[column.field]);
      $row.append(cell(column, row, plain ? link : undefined));
      if (plain) link = undefined;
    });
    return $row.on("click", (event) => {
      if (!event.target.closest("a")) $table.trigger("click-row.bs.table", [row, $row]);
    });
  }

  function build($table, options) {
    const headings = options.columns.map((column) => $("<th scope='col'>").text(column.title));
    $table.append($("<thead>").append($("<tr>").append(headings)));
    $table.append($("<tbody>").append(options.data.map((row, i) => line($table, options, row, i))));
    $table.wrap('<div class="table-frame">').addClass("table table-hover built");
    options.columns.forEach((column, index) => {
      if (isTrue(column.sortable)) makeSortable($table, headings[index]);
    });
    if (isTrue(options.filterControl)) addFilters($table, options.columns);
    if (isTrue(options.search)) addSearch($table, $(options.toolbar));
    const sorted = options.columns.findIndex((column) => column.field === options.sortName);
    if (sorted >= 0) sortBy($table, sorted, options.sortOrder === "desc");
  }

  const METHODS = {
    clearFilterControl: ($table) => ($table.data("filters") || []).forEach((f) => f.control.val("")),
    resetSearch: ($table) => $table.data("search-box") && $table.data("search-box").val(""),
  };

  $.fn.bootstrapTable = function (call) {
    return this.each((_, element) => {
      if (typeof call === "object") return void build($(element), call);
      if (METHODS[call]) METHODS[call]($(element));
      applyFilters($(element));
    });
  };

  function chart(spec) {
    const data = spec.data || {};
    const rows = data.values || (spec.datasets || {})[data.name] || [];
    const keys = Object.keys(rows[0] || {});
    const cells = (tag, values) => values.map((value) => $(`<${tag}>`).text(value));
    return $('<table class="table table-sm table-bordered w-auto">').append(
      $("<thead>").append($("<tr>").append(cells("th", keys))),
      $("<tbody>").append(rows.map((row) => $("<tr>").append(cells("td", keys.map((k) => row[k]))))),
    );
  }

  window.vegaEmbed = function (target, spec) {
    $(target).empty().append(chart(spec));
    return Promise.resolve("shown as a table");
  };

  $(() => {
    $('table[data-toggle="table"]').not(".built").each((_, element) => {
      const $table = $(element).addClass("table");
      const rows = $table.find("> tbody > tr").length;
      if (isTrue($table.data("search")) && rows > 1) addSearch($table);
      $table.find("> thead th").each((__, heading) => {
        if (isTrue($(heading).data("sortable"))) makeSortable($table, $(heading));
      });
    });
    Object.entries(SIGNS).forEach(([name, words]) => {
      $(`i.${name}`).attr({ role: "img", "aria-label": words, title: words, "aria-hidden": null });
    });
  });
})(jQuery);
