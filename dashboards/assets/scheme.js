/* Tells the charts whether the page is light or dark, now and when it changes. */
(function () {
  const root = document.documentElement;

  function scheme() {
    return root.getAttribute("data-mantine-color-scheme") === "dark" ? "dark" : "light";
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.frame = {
    scheme: function () {
      return scheme();
    },
    paused: function (paused, query) {
      return Boolean(paused) || (Boolean(query) && query.end !== "now");
    },
    title: function (title) {
      if (title) document.title = title;
      return window.dash_clientside.no_update;
    },
  };

  new MutationObserver(function () {
    if (window.dash_clientside.set_props && document.getElementById("main")) {
      window.dash_clientside.set_props("frame-scheme", { data: scheme() });
    }
  }).observe(root, { attributeFilter: ["data-mantine-color-scheme"] });
})();
