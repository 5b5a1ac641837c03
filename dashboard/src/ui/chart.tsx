/** One chart on a canvas, drawn by uPlot in the page's colours, with its newest or pointed-at values as text above. */
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatTime } from '../model/format.ts';
import { onColours } from '../state/theme.ts';

export interface ChartSeries {
  readonly name: string;
  /** A variable of the style: `--in`. */
  readonly colour: string;
  readonly dashed?: boolean;
  /** Single measurements, rather than something that goes on in between. */
  readonly points?: boolean;
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  title: string;
  /** Of the heading. */
  level: 2 | 3;
  /** In seconds since 1970. */
  times: readonly number[];
  series: readonly ChartSeries[];
  spanSeconds: number;
  format: (value: number) => string;
  formatAxis: (value: number) => string;
  /** The axis goes at least so far: a quiet line should look quiet. */
  atLeast: number;
}

const HEIGHT_PX = 168;
/** Times of day stand closer together then, so that there are any. */
const NARROW_PX = 300;

export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const [colours, setColours] = useState(0);
  const [pointed, setPointed] = useState<number | undefined>(undefined);
  useEffect(() => onColours(() => setColours((count) => count + 1)), []);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const made = new uPlot(optionsOf(element, latest, setPointed), dataOf(latest.current), element);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [colours, props.title]);
  useEffect(() => plot.current?.setData(dataOf(props)));
  return (
    <figure class="chart">
      <figcaption>
        {props.level === 2 ? <h2>{props.title}</h2> : <h3>{props.title}</h3>}
        <Readout {...props} at={pointed} />
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={`${props.title}: ${inWords(props)}`} />
    </figure>
  );
}

function Readout({ times, series, format, at }: ChartProps & { at: number | undefined }) {
  const time = at === undefined ? undefined : times[at];
  return (
    <p class="readout">
      {time !== undefined && (
        <span class="muted">{formatTime(new Date(time * 1000).toISOString(), Date.now())}</span>
      )}
      {series.map(({ name, colour, values, dashed }) => {
        const value = at === undefined ? values.findLast((known) => known !== null) : values[at];
        return (
          <span key={name} class="key" data-colour={colour} data-dashed={dashed ?? false}>
            {name} <b>{value === null || value === undefined ? '–' : format(value)}</b>
          </span>
        );
      })}
    </p>
  );
}

/** The newest and the largest of each series, for those who do not see the drawing. */
function inWords({ series, format }: ChartProps): string {
  const parts = series.map(({ name, values }) => {
    const known = values.filter((value) => value !== null);
    const last = known.at(-1);
    return last === undefined
      ? `${name}: nothing yet`
      : `${name} ${format(last)}, at most ${format(Math.max(...known))}`;
  });
  return parts.join('; ');
}

function dataOf({ times, series }: ChartProps): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])] as uPlot.AlignedData;
}

function optionsOf(
  element: HTMLElement,
  latest: { readonly current: ChartProps },
  setPointed: (at: number | undefined) => void,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const { series, formatAxis, spanSeconds } = latest.current;
  const font = `11px ${style.fontFamily}`;
  const axis: uPlot.Axis = {
    font,
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const spline = uPlot.paths.spline?.();
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    padding: [10, 24, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: {
        range: (_plot, _min, max) => {
          const end = max || Date.now() / 1000;
          return [end - (latest.current.spanSeconds || spanSeconds), end];
        },
      },
      y: { range: (_plot, _min, max) => [0, Math.max((max || 0) * 1.12, latest.current.atLeast)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: (_plot, _axis, _min, _max, widthPx) => (widthPx < NARROW_PX ? 56 : 72),
        size: 26,
        values: (_plot, splits) => splits.map(clockText),
      },
      {
        ...axis,
        size: 66,
        space: 34,
        values: (_plot, splits) => splits.map((value) => (value === 0 ? '0' : formatAxis(value))),
      },
    ],
    series: [
      {},
      ...series.map((one): uPlot.Series => ({
        label: one.name,
        stroke: colour(one.colour),
        width: 1.8,
        ...(one.dashed ? { dash: [5, 4] } : { fill: colour(`${one.colour}-fill`) }),
        ...(one.points
          ? { spanGaps: true, points: { show: true, size: 5, fill: colour(one.colour) } }
          : { points: { show: false } }),
        ...(spline && !one.points ? { paths: spline } : {}),
      })),
    ],
    hooks: { setCursor: [({ cursor }) => setPointed(cursor.idx ?? undefined)] },
  };
}

function clockText(seconds: number): string {
  const time = formatTime(new Date(seconds * 1000).toISOString(), seconds * 1000);
  return time.endsWith(':00') ? time.slice(0, -3) : time;
}
