/* Cells and keys of our grids. Everything is set as text, never as HTML. */
(function () {
  const components = (window.dashAgGridComponentFunctions =
    window.dashAgGridComponentFunctions || {});
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

  /* Leaves clicks that open a new tab to the browser. */
  function follow(event, href) {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    window.dash_clientside.set_props("frame-go", { href: href });
  }

  components.DyLink = function (props) {
    const href = props.data && props.data.href;
    if (!href) return props.value;
    return React.createElement(
      "a",
      { href: href, className: "dy-link dy-mono", onClick: (event) => follow(event, href) },
      props.value
    );
  };

  components.DyBar = function (props) {
    const share = Math.max(0, Math.min(1, props.value || 0));
    return React.createElement(
      "div",
      { className: "dy-bar" },
      React.createElement("div", {
        className: "dy-bar-fill",
        style: { width: "calc((100% - 58px) * " + share.toFixed(4) + ")" },
      }),
      React.createElement("span", null, props.valueFormatted)
    );
  };

  /* Enter on a row leads where its link leads. */
  functions.dyOpenRow = function (params) {
    const href = params.data && params.data.href;
    if (href && params.event && params.event.key === "Enter") {
      window.dash_clientside.set_props("frame-go", { href: href });
    }
  };
})();
