import type { VNode } from 'preact';
import { hrefOf } from '../router.js';

/** The tap that somebody asked for on another page. An address from elsewhere starts none. */
let asked = '';

interface TapLinkProps {
  readonly of: 'sessionId' | 'channel';
  readonly value: string;
}

export function TapLink({ of, value }: TapLinkProps): VNode {
  const href = hrefOf('tap', '', { [of]: value });
  return (
    <a href={href} onClick={() => (asked = href)}>
      Tap this {of === 'channel' ? 'channel' : 'session'}
    </a>
  );
}

/** Whether this page was opened by such a link. True once. */
export function isTapAsked(): boolean {
  const isAsked = asked === location.hash;
  asked = '';
  return isAsked;
}
