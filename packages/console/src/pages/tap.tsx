import type { TapLine, TapStartReply } from '@gatehouse/protocol';
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { connection, connectionState, sentenceOf } from '../data/connection.js';
import { isAdmin } from '../data/token.js';
import { hrefOf, route } from '../router.js';
import { ask } from '../ui/ask.js';
import { Field, Missing, Panel, Pill } from '../ui/parts.js';
import { bytes, clock, count, Name, Text } from '../ui/text.js';

/** Older lines are forgotten, so that the page does not grow. */
const MAX_LINES = 500;
/** Lines are shown together, so that fifty a second do not render fifty times. */
const RENDER_MS = 100;
const SUBJECTS = [
  ['userId', 'User'],
  ['sessionId', 'Session'],
  ['channel', 'Channel'],
  ['type', 'Type of message'],
] as const;
type Subject = (typeof SUBJECTS)[number][0];

interface Running extends TapStartReply {
  readonly subject: Subject;
  readonly value: string;
  readonly showsPayload: boolean;
}

export function Tap(): VNode {
  const { fields } = route.value;
  const given = SUBJECTS.find(([name]) => fields.has(name))?.[0] ?? 'userId';
  return (
    <>
      <h1>Tap</h1>
      <p class="quiet">
        Live messages of one user, session, channel or type, from all nodes: at most 50 lines a second, for ten minutes.
        Every tap is in the audit log.
      </p>
      {isAdmin.value ? (
        <LiveTap key={`${given} ${fields.get(given) ?? ''}`} subject={given} value={fields.get(given) ?? ''} />
      ) : (
        <p class="warning">A tap needs the role ADMIN.</p>
      )}
    </>
  );
}

function LiveTap({
  subject: firstSubject,
  value: firstValue,
}: {
  readonly subject: Subject;
  readonly value: string;
}): VNode {
  const [subject, setSubject] = useState<Subject>(firstSubject);
  const [running, setRunning] = useState<Running>();
  const [message, setMessage] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const lines = useLines();

  const start = async (showsPayload: boolean): Promise<string> => {
    const value = input.current?.value.trim() ?? '';
    setMessage('');
    try {
      const request = { [subject]: value, ...(showsPayload && { payload: true }) };
      const reply = (await connection().request('tap.start', request)) as TapStartReply;
      lines.clear();
      setRunning({ ...reply, subject, value, showsPayload });
      return '';
    } catch (error) {
      setMessage(sentenceOf(error));
      return '';
    }
  };
  const stop = async (): Promise<void> => {
    setRunning(undefined);
    await connection()
      .request('tap.stop')
      .catch((error: unknown) => setMessage(sentenceOf(error)));
  };
  useEnd(running, (why) => {
    setRunning(undefined);
    setMessage(why);
  });
  const showPayloads = (): void =>
    ask({
      title: 'Show payloads?',
      consequence: 'You will see what users write. The audit log records it with your name.',
      verb: 'Show payloads',
      act: () => start(true),
    });

  return (
    <>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void start(false);
        }}
      >
        <Field label="Watch">
          <select value={subject} onChange={({ currentTarget }) => setSubject(currentTarget.value as Subject)}>
            {SUBJECTS.map(([name, label]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </Field>
        <Field label={SUBJECTS.find(([name]) => name === subject)?.[1] ?? ''}>
          <input ref={input} data-search required defaultValue={firstValue} maxLength={256} spellcheck={false} />
        </Field>
        <button type="submit" class="main">
          {running === undefined ? 'Start' : 'Start again'}
        </button>
        {running === undefined ? null : (
          <>
            <button type="button" onClick={() => void stop()}>
              Stop
            </button>
            {running.showsPayload ? null : (
              <button type="button" onClick={showPayloads}>
                Show payloads…
              </button>
            )}
          </>
        )}
      </form>
      {message === '' ? null : (
        <p class="failure" role="alert">
          {message}
        </p>
      )}
      <Missing nodes={running?.missing ?? []} />
      <Lines running={running} {...lines} />
    </>
  );
}

interface LinesView {
  readonly shown: readonly (TapLine & { readonly key: number })[];
  readonly leftOut: number;
  readonly clear: () => void;
}

/** The newest lines, the newest first. */
function useLines(): LinesView {
  const [view, setView] = useState<Pick<LinesView, 'shown' | 'leftOut'>>({ shown: [], leftOut: 0 });
  const waiting = useRef<TapLine[]>([]);
  const total = useRef(0);
  useEffect(() => {
    if (!isAdmin.value) return undefined;
    const off = connection().on('tap.line', (line) => waiting.current.push(line as TapLine));
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
      off();
      clearInterval(timer);
      // The tap of this connection is of no use to a page that nobody sees.
      void connection()
        .request('tap.stop')
        .catch(() => undefined);
    };
  }, []);
  return { ...view, clear: () => setView({ shown: [], leftOut: 0 }) };
}

/** A tap ends with its connection, and when the server says so. */
function useEnd(running: Running | undefined, onEnd: (why: string) => void): void {
  const state = connectionState.value;
  useEffect(() => {
    if (running !== undefined && state !== 'open')
      onEnd('The connection was lost, and the tap with it. Start it again.');
  }, [state]);
  useEffect(() => {
    if (running === undefined) return undefined;
    return connection().on('tap.end', (end) => {
      const { reason } = end as { readonly reason: string };
      onEnd(
        reason === 'time' ? 'The tap has ended: ten minutes are over.' : 'The tap has ended: your rights have changed.',
      );
    });
  }, [running]);
}

function Lines({ running, shown, leftOut }: LinesView & { readonly running: Running | undefined }): VNode {
  if (running === undefined && shown.length === 0) return <p class="empty">Choose what to watch, and start.</p>;
  return (
    <Panel
      title="Lines"
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
        <p class="empty">Nothing yet. Lines appear here as messages pass.</p>
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
        {sessions === undefined ? null : <span>{count(sessions)} sessions</span>}
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
