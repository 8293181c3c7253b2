/* A flame graph, root on top. Frames are ordinary elements: their text can be selected and found.
   Only frames wider than a pixel are drawn, so tens of thousands of nodes do not matter. */
(function () {
  const ROW = 20;
  const NARROWEST_PX = 1.5;
  const DRAWN_MAX = 6000;

  class Flame {
    constructor(root) {
      this.root = root;
      this.zoomed = 0;
      this.focused = 0;
      this.query = "";
      this.widths = "b";
      this.build();
      new ResizeObserver(() => this.draw()).observe(this.stage);
    }

    build() {
      const make = (tag, className, text) => {
        const element = document.createElement(tag);
        element.className = className || "";
        if (text) element.textContent = text;
        return element;
      };
      this.search = make("input", "dy-flame-search");
      this.search.type = "search";
      this.search.placeholder = "Search functions";
      this.search.setAttribute("aria-label", "Search functions");
      this.reset = make("button", "dy-flame-button", "Show all");
      this.swap = make("button", "dy-flame-button");
      this.status = make("span", "dy-dim");
      this.status.setAttribute("role", "status");
      const bar = make("div", "dy-flame-bar");
      bar.append(this.search, this.reset, this.swap, this.status);
      this.legend = make("div", "dy-flame-legend");
      this.stage = make("div", "dy-flame-stage");
      this.stage.setAttribute("role", "tree");
      this.stage.setAttribute("aria-label", "Flame graph");
      this.detail = make("div", "dy-flame-detail");
      this.detail.setAttribute("aria-live", "polite");
      this.root.replaceChildren(bar, this.legend, this.detail, this.stage);
      this.listen();
    }

    listen() {
      this.search.addEventListener("input", () => {
        this.query = this.search.value.trim().toLowerCase();
        this.draw();
      });
      this.reset.addEventListener("click", () => this.zoom(0));
      this.swap.addEventListener("click", () => {
        this.widths = this.widths === "b" ? "a" : "b";
        this.measure();
        this.zoom(0);
      });
      const at = (event) => {
        const element = event.target.closest("[data-node]");
        return element ? Number(element.dataset.node) : -1;
      };
      this.stage.addEventListener("click", (event) => {
        if (at(event) >= 0 && !String(window.getSelection())) this.zoom(at(event));
      });
      this.stage.addEventListener("mouseover", (event) => this.tell(at(event)));
      this.stage.addEventListener("mouseleave", () => this.tell(this.focused));
      this.stage.addEventListener("focusin", (event) => this.tell(at(event)));
      this.stage.addEventListener("keydown", (event) => this.key(event, at(event)));
    }

    show(data) {
      this.data = data;
      this.two = data.b.length > 0;
      this.widths = this.two ? "b" : "a";
      this.children = data.parent.map(() => []);
      this.depth = new Int32Array(data.parent.length);
      for (let i = 1; i < data.parent.length; i++) {
        this.children[data.parent[i]].push(i);
        this.depth[i] = this.depth[data.parent[i]] + 1;
      }
      this.most = 1e-9;
      for (let i = 0; this.two && i < data.a.length; i++) {
        this.most = Math.max(this.most, Math.abs(data.b[i] - data.a[i]));
      }
      this.zoomed = this.focused = 0;
      this.measure();
      this.explain();
      this.draw();
    }

    /* Left edge and width of every node in shares of the whole; children by width. */
    measure() {
      const share = this.data[this.widths];
      this.width = Float64Array.from(share);
      this.left = new Float64Array(share.length);
      for (let i = 0; i < share.length; i++) {
        const inside = this.children[i];
        inside.sort((x, y) => share[y] - share[x] || x - y);
        let at = this.left[i];
        for (const child of inside) {
          this.left[child] = at;
          at += share[child];
        }
      }
    }

    zoom(node) {
      const focused = this.stage.contains(document.activeElement);
      this.zoomed = this.focused = node;
      this.draw();
      if (focused) this.focus(node);
      this.tell(node);
    }

    key(event, node) {
      if (node < 0) return;
      const parent = this.data.parent[node];
      const drawn = (i) => this.stage.querySelector('[data-node="' + i + '"]');
      const beside = parent < 0 ? [node] : this.children[parent].filter(drawn);
      const moves = {
        ArrowDown: () => this.children[node].find(drawn),
        ArrowUp: () => parent,
        ArrowRight: () => beside[beside.indexOf(node) + 1],
        ArrowLeft: () => beside[beside.indexOf(node) - 1],
        Home: () => 0,
      };
      if (event.key === "Enter" || event.key === " ") this.zoom(node);
      else if (event.key === "Escape") this.zoom(0);
      else if (event.key in moves) this.focus(moves[event.key]());
      else return;
      event.preventDefault();
    }

    focus(node) {
      const element = this.stage.querySelector('[data-node="' + node + '"]');
      if (!element) return;
      const last = this.stage.querySelector('[tabindex="0"]');
      if (last) last.tabIndex = -1;
      element.tabIndex = 0;
      this.focused = node;
      element.focus();
    }

    name(node) {
      return this.data.names[this.data.name[node]];
    }

    matches(node) {
      return this.query !== "" && this.name(node).toLowerCase().includes(this.query);
    }

    draw() {
      if (!this.data || !this.stage.clientWidth) return;
      const path = new Set();
      for (let i = this.zoomed; i >= 0; i = this.data.parent[i]) path.add(i);
      const from = this.left[this.zoomed];
      const span = this.width[this.zoomed] || 1;
      const narrowest = NARROWEST_PX / this.stage.clientWidth;
      const shown = document.createDocumentFragment();
      let drawn = 0;
      let hidden = 0;
      let deepest = 0;
      const pending = [0];
      while (pending.length) {
        const node = pending.pop();
        const above = path.has(node);
        const left = above ? 0 : (this.left[node] - from) / span;
        const width = above ? 1 : this.width[node] / span;
        if (!above && drawn >= DRAWN_MAX) {
          hidden++;
          continue;
        }
        shown.append(this.frame(node, left, width, above && node !== this.zoomed));
        drawn++;
        deepest = Math.max(deepest, this.depth[node]);
        const within = node === this.zoomed || !above;
        for (const child of this.children[node]) {
          if (!within && !path.has(child)) continue;
          if (path.has(child) || this.width[child] / span >= narrowest) pending.push(child);
          else hidden++;
        }
      }
      this.stage.replaceChildren(shown);
      this.stage.style.height = (deepest + 1) * ROW + "px";
      this.report(hidden);
      this.tell(this.focused);
    }

    frame(node, left, width, above) {
      const element = document.createElement("div");
      const full = this.name(node);
      const colon = full.indexOf(":");
      element.dataset.node = node;
      element.className = "dy-frame " + this.colour(node);
      if (above) element.classList.add("dy-frame-above");
      if (this.mark(node)) element.classList.add("dy-frame-marked");
      if (this.query) element.classList.add(this.matches(node) ? "dy-found" : "dy-unfound");
      element.style.left = left * 100 + "%";
      element.style.width = width * 100 + "%";
      element.style.top = this.depth[node] * ROW + "px";
      if (this.two) element.style.setProperty("--strength", this.strength(node));
      element.tabIndex = node === this.focused ? 0 : -1;
      element.setAttribute("role", "treeitem");
      element.setAttribute("aria-level", this.depth[node] + 1);
      element.setAttribute("aria-label", this.sentence(node));
      if (width * this.stage.clientWidth > 24) {
        const what = document.createElement("span");
        what.textContent = colon < 0 ? full : full.slice(colon + 1);
        element.append(what);
        if (colon > 0) {
          const where = document.createElement("span");
          where.className = "dy-frame-module";
          where.textContent = " " + full.slice(0, colon);
          element.append(where);
        }
      }
      return element;
    }

    /* "new" or "vanished" for a subtree that only one side has. */
    mark(node) {
      return ["", "new", "vanished"][(this.data.mark || [])[node] || 0];
    }

    colour(node) {
      if (node === 0) return "dy-frame-root";
      if (!this.two) return "dy-frame-" + (this.data.origins[this.data.origin[node]] || "own");
      return this.data.b[node] >= this.data.a[node] ? "dy-frame-more" : "dy-frame-less";
    }

    strength(node) {
      const change = Math.abs(this.data.b[node] - this.data.a[node]) / this.most;
      return Math.round(100 * Math.sqrt(change)) + "%";
    }

    sentence(node) {
      const data = this.data;
      const percent = (share) => (share * 100).toFixed(share < 0.1 ? 2 : 1) + "%";
      const count = (share, all) => Math.round(share * all).toLocaleString("en") + " samples";
      const origin = node === 0 ? "" : ", " + (data.origins[data.origin[node]] || "") + " code";
      if (!this.two) {
        const a = data.a[node];
        return this.name(node) + ": " + percent(a) + ", about " + count(a, data.samplesA) + origin;
      }
      const a = data.a[node];
      const b = data.b[node];
      const points = ((b - a) * 100).toFixed(2).replace("-", "−");
      return (
        this.name(node) + (this.mark(node) ? " [" + this.mark(node) + "]" : "") + ": " +
        percent(a) + " → " + percent(b) + " (" + (b >= a ? "+" : "") +
        points + " points), about " + count(a, data.samplesA) + " → " +
        count(b, data.samplesB) + origin
      );
    }

    tell(node) {
      if (this.data) this.detail.textContent = node >= 0 ? this.sentence(node) : "";
    }

    /* Share of what matches: a match within a match counts once. */
    matched() {
      const inside = new Uint8Array(this.width.length);
      let share = 0;
      let number = 0;
      for (let i = 0; i < inside.length; i++) {
        const parent = this.data.parent[i];
        inside[i] = parent >= 0 ? inside[parent] : 0;
        if (!this.matches(i)) continue;
        number++;
        if (!inside[i]) share += this.width[i];
        inside[i] = 1;
      }
      return [number, share];
    }

    report(hidden) {
      const words = [];
      if (this.query) {
        const [number, share] = this.matched();
        words.push(number.toLocaleString("en") + " match, " + (share * 100).toFixed(1) + "% of all");
      }
      if (hidden) words.push(hidden.toLocaleString("en") + "+ frames too narrow: click to zoom in");
      if (this.data.pruned > 0.0005) {
        words.push((this.data.pruned * 100).toFixed(1) + "% in small frames left out");
      }
      this.status.textContent = words.join("; ");
      this.reset.disabled = this.zoomed === 0;
    }

    explain() {
      const item = (className, text) => {
        const element = document.createElement("span");
        element.className = "dy-legend-item " + className;
        element.textContent = text;
        if (this.two) element.style.setProperty("--strength", "80%");
        return element;
      };
      this.swap.hidden = !this.two;
      const side = () => (this.widths === "b" ? this.data.labelB : this.data.labelA);
      this.swap.textContent = "Widths: " + side();
      this.swap.onclick = () => (this.swap.textContent = "Widths: " + side());
      const words = this.two
        ? [
            item("dy-frame-more", "larger share in " + this.data.labelB),
            item("dy-frame-less", "smaller share in " + this.data.labelB),
            item("dy-frame-more dy-frame-marked", "striped: only in " + this.data.labelB),
            item("dy-frame-less dy-frame-marked", "only in " + this.data.labelA),
          ]
        : this.data.origins.map((word) => item("dy-frame-" + word, word));
      this.legend.replaceChildren(...words);
    }
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.flame = {
    show: function (data, id) {
      const root = document.getElementById(id);
      if (root && data) {
        root.flame = root.flame || new Flame(root);
        root.flame.show(data);
      }
      return window.dash_clientside.no_update;
    },
  };
})();
