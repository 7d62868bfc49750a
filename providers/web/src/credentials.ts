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
  const source = ticket ?? token;
  const secret = typeof source === 'function' ? await source(context) : source;
  if (source && (typeof secret !== 'string' || secret === '')) throw new TypeError('the callback gave no credential');
  const protocols = ticket ? [PROTOCOL, `flagstaff.ticket.${secret}`] : [PROTOCOL];
  return () => {
    try {
      return token ? new Socket(url, protocols, { headers: { Authorization: `Bearer ${secret}` } }) : new Socket(url, protocols);
    } catch {
      // What the browser says may quote the ticket, and this will be logged.
      throw new TypeError('WebSocket refuses this address or ticket');
    }
  };
}
