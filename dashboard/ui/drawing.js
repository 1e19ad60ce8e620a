// Draws the figures of a snapshot with Plotly's own program and hands the SVGs back, once for each job.
const program = () =>
  (window.supervisionPlotly ??= new Promise((done, failed) => {
    if (window.Plotly) return done(window.Plotly);
    const script = document.createElement("script");
    script.src = new URL("/assets/plotly.min.js", location.origin).href;
    script.onload = () => done(window.Plotly);
    script.onerror = () => {
      window.supervisionPlotly = undefined;
      failed(new Error("the program could not be loaded"));
    };
    document.head.append(script);
  }));

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const said = parentElement.querySelector(".drawing");
  if (!data?.job || window.supervisionDrawn === data.job) return;
  window.supervisionDrawn = data.job;
  const draw = async () => {
    const plotly = await program();
    const drawings = [];
    for (const [place, one] of data.figures.entries()) {
      said.textContent = `Drawing figure ${place + 1} of ${data.figures.length}`;
      const url = await plotly.toImage(one.figure, { format: "svg", width: data.width, height: one.height });
      drawings.push(decodeURIComponent(url.slice(url.indexOf(",") + 1)));
    }
    return drawings;
  };
  draw()
    .then((drawings) => setTriggerValue("drawn", { job: data.job, drawings }))
    .catch(() => setTriggerValue("drawn", { job: data.job, drawings: null }))
    .finally(() => (said.textContent = "Storing the files"));
}
