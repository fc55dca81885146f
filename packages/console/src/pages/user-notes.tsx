import type { VNode } from 'preact';
import type { Ban, Revocation, Rights } from '../data/answers.js';
import { usePoll } from '../data/poll.js';
import { hrefOf } from '../router.js';
import { moment, shown } from '../ui/text.js';
import { LiftBan } from './undo-button.js';

const EVERY_MS = 10_000;

/** Why a user may be unable to connect, or to do something: what operators have ordered. */
export function UserNotes({ userId }: { readonly userId: string }): VNode | null {
  const bans = usePoll<{ readonly bans: readonly Ban[] }>('bans', EVERY_MS);
  const revocations = usePoll<{ readonly revocations: readonly Revocation[] }>('revocations', EVERY_MS);
  const rights = usePoll<{ readonly rights: readonly Rights[] }>('rights', EVERY_MS);
  const ban = bans.data?.bans.find(({ kind, key }) => kind === 'user' && key === userId);
  const notes = [
    ...(revocations.data?.revocations ?? [])
      .filter(({ kind, key }) => kind === 'user' && key === userId)
      .map(({ reason }) => `has revoked tokens${because(reason)}`),
    ...(rights.data?.rights ?? [])
      .filter((one) => one.userId === userId)
      .map(({ roles, reason }) => `has changed rights: ${roles.join(', ') || 'no roles'}${because(reason)}`),
  ];
  if (notes.length === 0 && ban === undefined) return null;
  return (
    <div class="warning" role="status">
      <ul>
        {ban === undefined ? null : (
          <li>
            <bdi>{shown(userId, 64)}</bdi> is banned until {moment(ban.until)}
            {because(ban.reason)}. <LiftBan kind="user" who={userId} refresh={bans.refresh} />
          </li>
        )}
        {notes.map((note) => (
          <li key={note}>
            <bdi>{shown(userId, 64)}</bdi> {note}. <a href={hrefOf('operations')}>Operations</a>
          </li>
        ))}
      </ul>
    </div>
  );
}

function because(reason: string): string {
  return reason === '' ? '' : ` (${shown(reason, 80)})`;
}
