// SPDX-License-Identifier: Apache-2.0
// A credential for each connection (docs/protocol, section 2). A ticket is used up by the attempt and belongs to one
// subject, so it is asked for anew every time, for the context that the connection will serve.
import type { EvaluationContext } from '@openfeature/web-sdk';
import type { Settings, SocketLike } from './options.js';

const PROTOCOL = 'flagstaff.v1';

/** Whether the credential may be another one for another context: the connection then cannot serve both. */
export const isBound = ({ ticket, token }: Settings): boolean => ticket !== undefined || typeof token === 'function';

/** What a new connection needs; rejects where the application's callback does. */
export async function prepare(settings: Settings, context: EvaluationContext): Promise<() => SocketLike> {
  const { url, webSocket: Socket, ticket, token } = settings;
  const secret = ticket ? await ticket(context) : typeof token === 'function' ? await token(context) : token;
  if (secret === undefined && !ticket && !token) return () => new Socket(url, [PROTOCOL]);
  if (typeof secret !== 'string' || secret === '') throw new TypeError(`${ticket ? 'ticket' : 'token'}: the callback gave none`);
  return ticket
    ? () => new Socket(url, [PROTOCOL, `flagstaff.ticket.${secret}`])
    : () => new Socket(url, [PROTOCOL], { headers: { Authorization: `Bearer ${secret}` } });
}
