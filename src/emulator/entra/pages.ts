/** The few pages that a person may see. No scripts but the one that posts a form; nothing is loaded. */
import { createHash } from 'node:crypto';
import { escapeXml } from '../../protocol/xml-text.ts';
import type { PrincipalState } from '../entra-state.ts';
import type { EntraAnswer } from './exchange.ts';

const SUBMIT = 'document.forms[0].submit()';
const STYLE = 'body{font:1rem system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem}';

/** @param body HTML. */
export function page(status: number, title: string, body: string): EntraAnswer {
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeXml(title)}</title><style>${STYLE}</style></head>
<body><h1>${escapeXml(title)}</h1><p>The local Azure of hcm</p>${body}</body></html>
`;
  return { status, headers: { 'Content-Security-Policy': POLICY, 'X-Frame-Options': 'DENY' }, body: html };
}

/** Before the redirect, when the behaviour wants a page: the same request again, as a POST. */
export function signInPage(user: PrincipalState, parameters: URLSearchParams): EntraAnswer {
  const name = `${user.displayName} (${user.userPrincipalName ?? ''})`;
  return page(
    200,
    'Sign in',
    form('', Object.fromEntries(parameters), `<button>Continue as ${escapeXml(name)}</button>`),
  );
}

/** Where a person enters the code that a device shows. */
export function devicePage(userCode: string, complaint = ''): EntraAnswer {
  const input = `<label>Code <input name="user_code" autocomplete="off" autofocus required value="${escapeXml(userCode)}"></label>
<button name="decision" value="approve">Sign in</button> <button name="decision" value="decline">Decline</button>`;
  return page(200, 'Enter the code', `<p>${escapeXml(complaint)}</p>${form('', {}, input)}`);
}

/** `response_mode=form_post`: the answer travels in a form that posts itself. */
export function formPostPage(url: string, fields: Readonly<Record<string, string>>): EntraAnswer {
  const button = '<noscript><button>Continue</button></noscript>';
  return page(200, 'Sign in', `${form(url, fields, button)}<script>${SUBMIT}</script>`);
}

function form(action: string, fields: Readonly<Record<string, string>>, inner: string): string {
  const hidden = Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escapeXml(name)}" value="${escapeXml(value)}">`)
    .join('');
  const target = action === '' ? '' : ` action="${escapeXml(action)}"`;
  return `<form method="post"${target}>${hidden}${inner}</form>`;
}

/** Forms may lead to other ports of this machine: that is where sign-ins end. */
const POLICY = `default-src 'none'; frame-ancestors 'none'; style-src '${hashOf(STYLE)}'; script-src '${hashOf(SUBMIT)}'`;

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
