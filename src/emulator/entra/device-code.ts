/**
 * Signing in from another screen: a code for the device, a short one for the person, a page to enter it, and the answer to
 * the device, which asks again and again. Approved by itself, unless the behaviour says that somebody must.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { AadstsError } from './aadsts.ts';
import { clientForPerson, namedClient } from './clients.ts';
import { need, type EntraAnswer, type EntraRequest } from './exchange.ts';
import { ExpiringMap } from './expiring-map.ts';
import { personOf } from './interactive.ts';
import type { Issuer } from './issuer.ts';
import { devicePage, page } from './pages.ts';
import { answerPerson, askedOf, type Asked } from './token-answer.ts';

const LIFETIME_S = 900;
/** How long an expired code is remembered, to be told from one that never was. */
const REMEMBERED_MS = 3_600_000;
const USER_CODE_CHARS = 'BCDFGHJKLMNPQRSTVWXZ23456789';
const USER_CODE_LENGTH = 9;

interface DeviceCode {
  readonly clientId: string;
  readonly userCode: string;
  readonly asked: Asked;
  readonly endsAtMs: number;
  state: 'pending' | 'approved' | 'declined' | 'redeemed';
}

export class DeviceSignIn {
  readonly #issuer: Issuer;
  readonly #codes: ExpiringMap<DeviceCode>;

  constructor(issuer: Issuer) {
    this.#issuer = issuer;
    this.#codes = new ExpiringMap(() => issuer.context.nowMs());
  }

  /** `/{tenant}/oauth2/v2.0/devicecode` */
  start(request: EntraRequest): EntraAnswer {
    const { context } = this.#issuer;
    const { clientId } = namedClient(context.state, request.form);
    if (!request.isLocal) throw new AadstsError(53003);
    const userCode = Array.from({ length: USER_CODE_LENGTH }, randomChar).join('');
    const deviceCode = randomBytes(32).toString('base64url');
    const endsAtMs = context.nowMs() + LIFETIME_S * 1_000;
    const asked = askedOf(request, request.form);
    const code: DeviceCode = { clientId, userCode, asked, endsAtMs, state: 'pending' };
    this.#codes.set(deviceCode, code, LIFETIME_S * 1_000 + REMEMBERED_MS);
    const url = `${request.baseUrl}/common/oauth2/deviceauth`;
    return {
      status: 200,
      body: {
        ...{ user_code: userCode, device_code: deviceCode, verification_uri: url },
        // Version 1 has its own name for it.
        ...(asked.isV1 ? { verification_url: url } : {}),
        ...{ expires_in: LIFETIME_S, interval: context.behaviour.deviceCodeIntervalS },
        message: `To sign in, use a web browser to open the page ${url} and enter the code ${userCode} to authenticate.`,
      },
    };
  }

  /** `grant_type=urn:ietf:params:oauth:grant-type:device_code` */
  async redeem(request: EntraRequest): Promise<EntraAnswer> {
    const { context } = this.#issuer;
    const client = await clientForPerson(this.#issuer, request);
    const code = this.#codes.get(request.form.get('device_code') ?? need(request.form, 'code'));
    if (code === undefined || code.clientId !== client.clientId) throw new AadstsError(70000, 'device_code');
    if (code.endsAtMs <= context.nowMs()) throw new AadstsError(70020);
    switch (code.state) {
      case 'pending':
        if (context.behaviour.deviceCodeApproval === 'auto') code.state = 'approved';
        throw new AadstsError(70016);
      case 'declined':
        throw new AadstsError(70017);
      case 'redeemed':
        throw new AadstsError(54005);
      case 'approved':
        code.state = 'redeemed';
        return answerPerson(this.#issuer, request, client, {
          user: personOf(context.state.principals),
          asked: code.asked,
        });
    }
  }

  /** `/common/oauth2/deviceauth`: the page for the person. */
  approve(request: EntraRequest): EntraAnswer {
    if (!request.isLocal) throw new AadstsError(53003);
    if (request.method !== 'POST') return devicePage(request.query.get('user_code') ?? '');
    const wanted = need(request.form, 'user_code').trim().toUpperCase();
    const nowMs = this.#issuer.context.nowMs();
    const code = this.#codes
      .values()
      .find(
        ({ userCode, state, endsAtMs }) => userCode === wanted && state === 'pending' && endsAtMs > nowMs,
      );
    if (code === undefined) return devicePage('', 'That code did not work. Check it and try again.');
    code.state = request.form.get('decision') === 'decline' ? 'declined' : 'approved';
    return page(
      200,
      'Sign-in',
      `<p>${code.state === 'approved' ? 'You are signed in.' : 'The sign-in was declined.'} You can close this page.</p>`,
    );
  }
}

function randomChar(): string {
  return USER_CODE_CHARS[randomInt(USER_CODE_CHARS.length)] ?? '';
}
