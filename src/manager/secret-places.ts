/**
 * Where the secret of each connection lies, in the keychain or in the file, and what is left over in a place that is no
 * longer wanted. Pure: one state of the store becomes the next.
 */
import { HcmError } from '../protocol/errors.ts';
import type { Leftover, SecretPlace, StoredConnection, StoreState } from './store-file.ts';

/** The name of a connection's secret, in whatever place. */
export function secretName({ role, connection }: Pick<StoredConnection, 'role' | 'connection'>): string {
  return `${role} ${connection.toLowerCase()}`;
}

/** Something may lie there that nobody wants. */
export function withLeftover(state: StoreState, leftover: Leftover): StoreState {
  return { ...state, leftovers: [...state.leftovers.filter((one) => !isSame(one, leftover)), leftover] };
}

/** The secret lies there; wherever else it was, it is left over. */
export function placed(state: StoreState, name: string, place: SecretPlace): StoreState {
  const before = state.places.get(name);
  const isMoved = before !== undefined && before !== place;
  const { leftovers } = isMoved ? withLeftover(state, { place: before, name }) : state;
  return {
    ...state,
    places: new Map(state.places).set(name, place),
    leftovers: leftovers.filter((one) => !isSame(one, { place, name })),
  };
}

/** The secret is not wanted any more. */
export function forgotten(state: StoreState, name: string): StoreState {
  const place = state.places.get(name);
  if (place === undefined) return state;
  const places = new Map(state.places);
  places.delete(name);
  return { ...withLeftover(state, { place, name }), places };
}

/** What the store knows of, and the place has not. */
export function missing(connection: string, place: SecretPlace): HcmError {
  const where = place === 'file' ? 'secrets.json has none any more' : 'the keychain has no entry for it';
  return new HcmError('HCM_SECRET_MISSING', `The key of ${connection} is gone: ${where}.`, {
    details: { connection },
  });
}

function isSame(one: Leftover, { place, name }: Leftover): boolean {
  return one.place === place && one.name === name;
}
