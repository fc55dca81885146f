import type { TapLine, TapStartReply } from '@gatehouse/protocol';
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { connection } from '../data/connection.js';
import { hrefOf } from '../router.js';
import { Panel, Pill } from '../ui/parts.js';
import { bytes, clock, count, Name, Text } from '../ui/text.js';
import { plural } from './affected.js';

/** Older lines are forgotten, so that the page does not grow. */
const MAX_LINES = 500;
/** Lines are shown together, so that fifty a second do not render fifty times. */
const RENDER_MS = 100;
interface LinesView {
  readonly shown: readonly (TapLine & { readonly key: number })[];
  readonly leftOut: number;
  /** Forgets the lines, and takes those of a new tap. */
  readonly begin: () => void;
}

/** The newest lines, the newest first. */
export function useLines(): LinesView {
  const [view, setView] = useState<Pick<LinesView, 'shown' | 'leftOut'>>({ shown: [], leftOut: 0 });
  const waiting = useRef<TapLine[]>([]);
  const total = useRef(0);
  const off = useRef<(() => void) | undefined>(undefined);
  useEffect(() => {
    const timer = setInterval(() => {
      const arrived = waiting.current.splice(0).map((line) => ({ ...line, key: (total.current += 1) }));
      if (arrived.length === 0) return;
      const leftOut = arrived.reduce((sum, line) => sum + (line.leftOut ?? 0), 0);
      setView((before) => ({
        shown: [...arrived.toReversed(), ...before.shown].slice(0, MAX_LINES),
        leftOut: before.leftOut + leftOut,
      }));
    }, RENDER_MS);
    return () => {
      clearInterval(timer);
      if (off.current === undefined) return;
      off.current();
      // The tap of this connection is of no use to a page that nobody sees.
      void connection()
        .request('tap.stop')
        .catch(() => undefined);
    };
  }, []);
  const begin = (): void => {
    // A connection is a session of its own, so it is opened by the first tap and not by the page.
    off.current ??= connection().on('tap.line', (line) => waiting.current.push(line as TapLine));
    setView({ shown: [], leftOut: 0 });
  };
  return { ...view, begin };
}

interface LinesProps extends LinesView {
  /** The tap, unless it is stopped. */
  readonly running: TapStartReply | undefined;
  /** What is tapped, such as `user alice`. */
  readonly what: string;
  /** What to say while there is no line. */
  readonly hint: string;
}

export function Lines({ running, what, hint, shown, leftOut }: LinesProps): VNode {
  if (running === undefined && shown.length === 0) return <p class="empty">Choose what to watch, and start.</p>;
  return (
    <Panel
      title={`Traffic of ${what}`}
      note={
        running === undefined ? (
          <Pill mood="plain">stopped</Pill>
        ) : (
          <>
            <Pill mood="good">live</Pill> on {running.nodes.join(', ')}, until {clock(running.endsAt).slice(0, 8)}
          </>
        )
      }
      actions={leftOut > 0 && <Pill mood="wait">{`${count(leftOut)} lines left out: more than 50 a second`}</Pill>}
    >
      {shown.length === 0 ? (
        <p class="empty">Nothing yet. {hint}</p>
      ) : (
        <div class="scroll tall" role="log" aria-label="Lines of the tap" tabIndex={0}>
          <ol class="lines">
            {shown.map((line) => (
              <Line key={line.key} line={line} />
            ))}
          </ol>
        </div>
      )}
    </Panel>
  );
}

const ARROWS = { in: '→ in', out: '← out', event: '• event' } as const;

function Line({ line }: { readonly line: TapLine }): VNode {
  const { at, node, direction, type, outcome, session, user, channel, seq, ms, sessions, payload } = line;
  const isGood = ['ok', 'sent', '1000', '1001', '1005'].includes(outcome);
  return (
    <li>
      <time>{clock(at)}</time>
      <span class={`direction ${direction}`}>{ARROWS[direction]}</span>
      <strong>
        <Text value={type} max={48} />
      </strong>
      <span class={isGood ? 'quiet' : 'bad'}>
        <Text value={outcome} max={32} />
      </span>
      <span class="details">
        {user === undefined ? null : <Name value={user} max={32} />}
        {session === undefined ? null : <a href={hrefOf('session', session)}>{session.slice(0, 8)}</a>}
        {sessions === undefined ? null : <span>{plural(sessions)}</span>}
        {channel === undefined ? null : (
          <a href={hrefOf('channel', channel)}>
            <Name value={channel} max={48} />
            {seq === undefined ? '' : ` ${seq}`}
          </a>
        )}
        {line.bytes === undefined ? null : <span class="quiet">{bytes(line.bytes)}</span>}
        {ms === undefined ? null : <span class="quiet">{ms} ms</span>}
        <span class="quiet">{node}</span>
      </span>
      {payload === undefined ? null : (
        <code class="payload">
          <Text value={payload} max={2_000} />
        </code>
      )}
    </li>
  );
}
