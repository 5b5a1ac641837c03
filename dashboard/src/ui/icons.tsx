/** Small drawings. All are decoration: what they mean always stands beside them as text. */
import type { ComponentChildren } from 'preact';
import type { State } from '../model/states.ts';

function Icon({ children, spin = false }: { children: ComponentChildren; spin?: boolean }) {
  return (
    <svg class={spin ? 'icon spin' : 'icon'} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

const LINE = {
  fill: 'none',
  stroke: 'currentColor',
  'stroke-width': 1.6,
  'stroke-linecap': 'round',
  'stroke-linejoin': 'round',
} as const;

/** Each state has a shape of its own: nothing is told by colour alone. */
export function StateIcon({ state }: { state: State }) {
  switch (state) {
    case 'online':
      return (
        <Icon>
          <circle cx="8" cy="8" r="6.4" fill="currentColor" />
          <path d="m5.2 8.2 2 2 3.6-4.2" {...LINE} stroke="var(--on-state)" />
        </Icon>
      );
    case 'degraded':
      return (
        <Icon>
          <path
            d="M8 2 14.4 13.4H1.6z"
            fill="currentColor"
            stroke="currentColor"
            stroke-width="1.4"
            stroke-linejoin="round"
          />
          <path d="M8 6.2v3.4M8 11.8v.1" {...LINE} stroke="var(--on-state)" />
        </Icon>
      );
    case 'connecting':
      return (
        <Icon spin>
          <path d="M8 1.8a6.2 6.2 0 1 1-5.9 4.3" {...LINE} stroke-width="2" />
        </Icon>
      );
    case 'waiting':
      return (
        <Icon>
          <circle cx="8" cy="8" r="6.2" {...LINE} />
          <path d="M8 4.6V8l2.3 1.6" {...LINE} />
        </Icon>
      );
    case 'target-down':
      return (
        <Icon>
          <path d="M8 2v7.2M4.8 6.4 8 9.6l3.2-3.2M2.6 13.2h10.8" {...LINE} stroke-width="1.9" />
        </Icon>
      );
    case 'failed':
      return (
        <Icon>
          <path d="M5.3 1.6h5.4l3.7 3.7v5.4l-3.7 3.7H5.3l-3.7-3.7V5.3z" fill="currentColor" />
          <path d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8" {...LINE} stroke="var(--on-state)" />
        </Icon>
      );
    case 'stopped':
      return (
        <Icon>
          <rect x="3" y="3" width="10" height="10" rx="1.6" {...LINE} />
        </Icon>
      );
  }
}

const PATHS = {
  plus: 'M8 2.8v10.4M2.8 8h10.4',
  back: 'M9.8 3 4.8 8l5 5',
  close: 'm3.6 3.6 8.8 8.8m0-8.8-8.8 8.8',
  restart: 'M13.2 8A5.2 5.2 0 1 1 11.6 4.3M11.8 1.6v3h-3',
  test: 'M2 9h2.6l2-5.6 3 9 2-3.4H14',
  remove: 'M2.8 4.4h10.4M6 4.2V2.6h4v1.6M4.2 4.4l.6 9h6.4l.6-9',
  accept: 'm3 8.4 3.4 3.4L13 4.8',
  in: 'M8 2.6v10M4.2 8.8 8 12.6l3.8-3.8',
  out: 'M8 13.4v-10M4.2 7.2 8 3.4l3.8 3.8',
  to: 'M2.6 8h10.4M9.4 4.4 13 8l-3.6 3.6',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1.4v1.2M8 13.4v1.2M1.4 8h1.2M13.4 8h1.2M3.3 3.3l.9.9M11.8 11.8l.9.9M12.7 3.3l-.9.9M4.2 11.8l-.9.9',
  moon: 'M13.4 9.8A5.8 5.8 0 0 1 6.2 2.6a5.8 5.8 0 1 0 7.2 7.2',
  screen: 'M2 3.4h12v7.4H2zM5.6 13.6h4.8M8 11v2.4',
  warning: 'M8 2.2 14.4 13.4H1.6zM8 6.4v3.2M8 11.6v.1',
  search: 'M7 2.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 0 0 0-8.8M10.3 10.3l3.3 3.3',
  plug: 'M5.4 2.2v3M10.6 2.2v3M3.8 5.4h8.4v2a4.2 4.2 0 0 1-8.4 0zM8 11.6v2.6',
  skip: 'M3 8h10',
} as const;

export type IconName = keyof typeof PATHS;

export function Symbol({ name }: { name: IconName }) {
  return (
    <Icon>
      <path d={PATHS[name]} {...LINE} />
    </Icon>
  );
}
