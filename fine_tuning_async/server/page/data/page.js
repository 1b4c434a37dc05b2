"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const CURVES = [
    { name: "train_loss", said: "training loss", tone: "train" },
    { name: "valid_loss", said: "validation loss", tone: "valid" },
  ];
  const LEFT = 44, RIGHT = 10, TOP = 10, BOTTOM = 28;
  let source, simulated = true, chart = null, reading = null, shown = null;

  // Whatever comes from the server is put in as text, never as markup.
  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined && text !== null) element.textContent = String(text);
    return element;
  }
  function draw(tag, attributes, text) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }
  function set(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }
  function fill(list, items, render, none) {
    const lines = items.length ? items.map(render) : none ? [make("li", "none", none)] : [];
    list.replaceChildren(...lines);
  }
  const words = (status) => status.replaceAll("_", " ");
  const pill = (className, text) => make("span", `pill ${className}`, text);
  const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
  const count = (number) => number.toLocaleString("en");
  const figure = (value) => (Number.isFinite(value) ? value.toPrecision(3) : "–");

  function showServer(server) {
    simulated = server.simulated;
    const moment = new Date(server.now * 1000);
    const pace = server.speed === null ? "stands still" : `${server.speed}× as fast`;
    const facts = {
      "passes for": server.like,
      time: `${moment.toLocaleDateString()} ${clock(server.now)}, ${pace}`,
      trainings: simulated ? "simulated" : `by ${server.trainer}`,
    };
    $("server").replaceChildren(...Object.entries(facts).map(([name, value]) => fact(name, value)));
    set($("base-url"), location.origin + server.home);
    $("simulated").hidden = !simulated;
  }
  function fact(name, value) {
    const pair = make("div");
    pair.append(make("dt", "", name), make("dd", "", value));
    return pair;
  }

  function wanted() {
    const name = location.hash.slice(1);
    try {
      return decodeURIComponent(name);
    } catch {
      return name; // no text of a link of ours
    }
  }
  const isJob = (id) => id !== "" && $(id) === null;

  function showJobs(jobs) {
    set($("jobs-count"), jobs.total ? count(jobs.total) : "");
    $("jobs-empty").hidden = jobs.total > 0;
    $("welcome").hidden = jobs.total > 0 || isJob(wanted());
    $("jobs-more").hidden = jobs.total <= jobs.data.length;
    set($("jobs-more"), `and ${count(jobs.total - jobs.data.length)} older ones`);
    // Rows are kept, so that whoever tabs through them is not thrown out.
    const known = new Map([...$("job-list").children].map((row) => [row.dataset.id, row]));
    jobs.data.forEach((job, place) => {
      const row = known.get(job.id) || newRow(job.id);
      known.delete(job.id);
      showRow(row, job);
      const there = $("job-list").children[place];
      if (there !== row) $("job-list").insertBefore(row, there || null);
    });
    for (const row of known.values()) row.remove();
    markCurrent();
  }
  function newRow(id) {
    const row = make("li"), link = make("a"), top = make("div", "row"), sub = make("div", "sub");
    row.dataset.id = id;
    link.href = `#${encodeURIComponent(id)}`;
    top.append(make("span", "name"), make("span", "pill"));
    sub.append(make("span"), make("span"));
    const bar = make("progress");
    bar.setAttribute("aria-hidden", "true");
    link.append(top, sub, bar);
    row.append(link);
    return row;
  }
  function showRow(row, job) {
    const [name, status] = row.querySelectorAll(".row span");
    const [model, steps] = row.querySelectorAll(".sub span");
    set(name, job.suffix || job.id);
    name.title = job.id;
    set(status, words(job.status));
    status.className = `pill ${job.status}`;
    set(model, `${job.model} · ${job.method}`);
    set(steps, job.total ? `${job.step}/${job.total}` : clock(job.created_at));
    const bar = row.querySelector("progress");
    bar.className = job.status;
    bar.max = job.total || 1;
    bar.value = job.step;
  }
  function markCurrent() {
    const shown = $("job").dataset.id;
    for (const link of document.querySelectorAll("#job-list a")) {
      if (link.parentElement.dataset.id === shown) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  function showJob(job) {
    $("job").hidden = job === null;
    $("gone").hidden = job !== null || !isJob(wanted());
    if (job === null) {
      delete $("job").dataset.id;
      markCurrent();
      return;
    }
    if ($("job").dataset.id !== job.id) reading = null;
    $("job").dataset.id = job.id;
    $("job").dataset.status = job.status;
    set($("job-title"), job.suffix || job.id);
    $("job-title").className = job.suffix ? "" : "mono";
    $("job-id").hidden = !job.suffix;
    set($("job-id"), job.id);
    set($("job-status"), words(job.status));
    $("job-status").className = `pill ${job.status}`;
    $("job-error").hidden = !job.error;
    set($("job-error"), job.error ? `${job.error.code}: ${job.error.message}` : "");
    const bar = $("job-progress");
    bar.max = job.total || 1;
    bar.value = job.step;
    bar.className = job.status;
    set($("job-steps"), job.total ? `step ${count(job.step)} of ${count(job.total)}` : "not begun");
    showFacts(job);
    fill($("checkpoints"), job.checkpoints, checkpointLine, "None yet");
    fill($("events"), job.events, eventLine, "None yet");
    showCurve(job);
    markCurrent();
  }
  function showFacts(job) {
    const parameters = Object.entries(job.hyperparameters).map(([name, value]) => `${name} ${value}`);
    const pairs = Object.entries(job.metadata).map(([name, value]) => `${name}: ${value}`);
    const facts = {
      model: job.model,
      "training file": job.training_file,
      "validation file": job.validation_file,
      method: `${job.method}, ${parameters.join(", ")}`,
      seed: job.seed,
      created: clock(job.created_at),
      finished: job.finished_at ? clock(job.finished_at) : job.estimated_finish ? `about ${clock(job.estimated_finish)}` : null,
      "fine-tuned model": job.fine_tuned_model,
      "trained tokens": job.trained_tokens === null ? null : count(job.trained_tokens),
      "result file": job.result_files.join(", "),
      metadata: pairs.join(", "),
    };
    const told = Object.entries(facts).filter(([, value]) => value !== null && value !== "");
    $("job-facts").replaceChildren(...told.map(([name, value]) => fact(name, value)));
  }
  function line(className, ...parts) {
    const item = make("li", className);
    item.append(...parts);
    return item;
  }
  function checkpointLine(checkpoint) {
    const metrics = checkpoint.metrics, loss = metrics.full_valid_loss ?? metrics.valid_loss ?? metrics.train_loss;
    const name = make("span", "text mono", checkpoint.fine_tuned_model_checkpoint);
    const artefact = checkpoint.artefact ? [make("span", "faint", checkpoint.artefact)] : [];
    return line("", make("span", "faint", `step ${checkpoint.step_number}`), name, ...artefact, make("span", "faint", `loss ${figure(loss)}`));
  }
  function eventLine(event) {
    const time = make("time", "", clock(event.created_at));
    time.dateTime = new Date(event.created_at * 1000).toISOString();
    return line(event.level, time, make("span", "text", event.message));
  }

  function showCurve(job) {
    shown = job;
    const curves = CURVES.filter((curve) => job.curve.some((point) => Number.isFinite(point[curve.name])));
    $("curve").hidden = curves.length === 0;
    if (!curves.length) return;
    const values = job.curve.flatMap((point) => curves.map((curve) => point[curve.name])).filter(Number.isFinite);
    const width = Math.max(240, $("chart").clientWidth), height = Math.round(Math.min(320, Math.max(190, width * 0.4)));
    $("chart").setAttribute("viewBox", `0 0 ${width} ${height}`);
    $("chart").setAttribute("height", height);
    const last = Math.max(job.total, ...job.curve.map((point) => point.step));
    const top = niceTop(Math.max(...values, 0)), bottom = Math.min(0, ...values);
    chart = {
      curves, points: job.curve, right: width - RIGHT, foot: height - BOTTOM,
      x: (step) => LEFT + ((width - LEFT - RIGHT) * (step - 1)) / Math.max(1, last - 1),
      y: (value) => TOP + (height - TOP - BOTTOM) * (1 - (value - bottom) / (top - bottom || 1)),
    };
    $("legend").replaceChildren(...curves.map((curve) => make("span", curve.tone, curve.said)));
    const parts = [...axes(bottom, top, last), ...marks(job), ...curves.flatMap(path)];
    parts.push(draw("g", { id: "cursor" }));
    $("chart").replaceChildren(draw("title", {}, summary(job, curves)), ...parts);
    read(reading);
  }
  function niceTop(value) {
    const power = 10 ** Math.floor(Math.log10(value || 1));
    return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((each) => each * power).find((each) => each >= value) ?? value;
  }
  function axes(bottom, top, last) {
    const parts = [];
    for (let tick = 0; tick <= 4; tick++) {
      const value = bottom + ((top - bottom) * tick) / 4, y = chart.y(value);
      parts.push(draw("line", { class: "grid", x1: LEFT, x2: chart.right, y1: y, y2: y }));
      parts.push(draw("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, String(Number(value.toPrecision(3)))));
    }
    for (const step of new Set([1, Math.round((1 + last) / 2), last])) {
      const anchor = step === 1 ? "start" : step === last ? "end" : "middle";
      const said = step === last ? `step ${count(last)}` : count(step);
      parts.push(draw("text", { x: chart.x(step), y: chart.foot + 19, "text-anchor": anchor }, said));
    }
    return parts;
  }
  function marks(job) {
    return job.checkpoints.map((checkpoint) => {
      const x = chart.x(checkpoint.step_number);
      const mark = draw("line", { class: "mark", x1: x, x2: x, y1: TOP, y2: chart.foot });
      mark.append(draw("title", {}, `checkpoint at step ${checkpoint.step_number}`));
      return mark;
    });
  }
  function path(curve) {
    const points = chart.points.filter((point) => Number.isFinite(point[curve.name]));
    const at = points.map((point) => `${chart.x(point.step).toFixed(1)},${chart.y(point[curve.name]).toFixed(1)}`);
    const end = points[points.length - 1];
    return [
      draw("polyline", { class: `line ${curve.tone}`, points: at.join(" ") }),
      draw("circle", { class: `dot ${curve.tone}`, cx: chart.x(end.step), cy: chart.y(end[curve.name]), r: 3.5 }),
    ];
  }
  function summary(job, curves) {
    const told = curves.map((curve) => {
      const points = job.curve.filter((point) => Number.isFinite(point[curve.name]));
      const first = points[0], end = points[points.length - 1];
      return `${curve.said} from ${figure(first[curve.name])} at step ${first.step} to ${figure(end[curve.name])} at step ${end.step}`;
    });
    return `${simulated ? "Simulated " : ""}${told.join("; ")}`;
  }
  // Reads one point of the curve aloud: `place` is its number, or null for none.
  function read(place) {
    reading = place;
    const cursor = $("cursor");
    if (!chart || !cursor) return;
    const point = place === null ? undefined : chart.points[Math.min(place, chart.points.length - 1)];
    cursor.replaceChildren();
    set($("reading"), "");
    if (!point) return;
    const x = chart.x(point.step), there = chart.curves.filter((curve) => Number.isFinite(point[curve.name]));
    cursor.append(draw("line", { class: "cursor", x1: x, x2: x, y1: TOP, y2: chart.foot }));
    for (const curve of there) cursor.append(draw("circle", { class: `dot ${curve.tone}`, cx: x, cy: chart.y(point[curve.name]), r: 4.5 }));
    set($("reading"), [`step ${point.step}`, ...there.map((curve) => `${curve.said} ${figure(point[curve.name])}`)].join(" · "));
  }
  new ResizeObserver(() => shown && showCurve(shown)).observe($("curve"));
  $("chart").addEventListener("pointermove", (event) => {
    if (!chart) return;
    const at = event.clientX - $("chart").getBoundingClientRect().left;
    const far = chart.points.map((point) => Math.abs(chart.x(point.step) - at));
    read(far.indexOf(Math.min(...far)));
  });
  $("chart").addEventListener("pointerleave", () => read(null));
  $("chart").addEventListener("blur", () => read(null));
  $("chart").addEventListener("keydown", (event) => {
    if (!chart || !chart.points.length) return;
    const last = chart.points.length - 1, now = reading ?? (event.key === "ArrowRight" ? -1 : last + 1);
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last, Escape: null }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    read(to === null ? null : Math.max(0, Math.min(last, to)));
  });

  function showFaults(rules) {
    set($("faults-count"), rules.length ? count(rules.length) : "");
    fill($("faults"), rules, (rule) => {
      const kinds = rule.faults.map((fault) => {
        const hits = rule.times === null ? `${fault.hits} hit` : `${fault.hits} of ${rule.times} hit`;
        return `${words(fault.kind)}${fault.rate < 1 ? ` ${Math.round(fault.rate * 1000) / 10} %` : ""}, ${hits}`;
      });
      const where = `${rule.method ?? "any method"} ${rule.path ?? "any path"}`;
      return line("", make("span", "text", kinds.join("; ")), make("span", "faint mono", where));
    }, "Nothing goes wrong on purpose");
  }
  function showRequests(requests) {
    set($("requests-count"), requests.total ? count(requests.total) : "");
    fill($("requests"), requests.data, (request) => {
      const status = pill(request.status === 0 || request.status >= 400 ? "wrong" : "ok", request.status || "lost");
      const text = make("span", "text mono");
      for (const part of `${request.method} ${request.path}`.split(/(?<=[/?&=])/)) text.append(part, make("wbr"));
      return line("", status, text, ...(request.fault ? [pill("fault", words(request.fault))] : []));
    }, "None yet");
  }
  function showWebhooks(deliveries) {
    $("webhooks-section").hidden = deliveries.length === 0;
    fill($("webhooks"), deliveries, (delivery) => {
      const tries = `${delivery.attempts} ${delivery.attempts === 1 ? "attempt" : "attempts"}${delivery.outcome ? `, ${delivery.outcome}` : ""}`;
      const text = make("span", "text", `${delivery.type.split(".").pop()}, ${tries}`);
      text.append(make("span", "under mono", delivery.job_id), make("span", "under mono", delivery.url));
      return line("", pill(delivery.state, delivery.state), text);
    });
  }

  const SECTIONS = {
    server: showServer, jobs: showJobs, job: showJob, faults: showFaults, requests: showRequests, webhooks: showWebhooks,
  };
  function live(state, said) {
    $("live").dataset.state = state;
    set($("live"), said);
  }
  function listen() {
    if (source) source.close();
    const id = wanted();
    source = new EventSource(`/_local/stream?job=${encodeURIComponent(isJob(id) ? id : "")}`);
    source.addEventListener("open", () => live("live", "live"));
    source.addEventListener("error", () => {
      live("lost", "connection lost, trying again");
      // A stream that was refused is not tried again by the browser.
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
    });
    for (const [name, show] of Object.entries(SECTIONS)) {
      source.addEventListener(name, (event) => show(JSON.parse(event.data)));
    }
  }
  addEventListener("hashchange", () => {
    if (isJob(wanted()) || wanted() === "") listen();
  });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) listen();
  });
  listen();
})();
