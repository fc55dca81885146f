import { describe, expect, it } from 'vitest';
import { IDS_PER_PUBLISHER, Ledger, type Gap, type Witness } from './ledger.js';

const EPOCH = 'first';

/** A channel in which the publications 1 to 6 stand at the seqs 1 to 6, and are acknowledged. */
function channel() {
  const ledger = new Ledger('feed:1');
  for (let id = 1; id <= 6; id += 1) ledger.sent(id);
  for (let id = 1; id <= 6; id += 1) ledger.acknowledged({ id, epoch: EPOCH, seq: id, isFirstTry: true });
  const witness = ledger.witness('alice');
  witness.subscribed({ epoch: EPOCH, seq: 0, recovered: false, publications: [] });
  const faults = () => [...new Set(ledger.verify().map(({ kind }) => kind))];
  return { ledger, witness, faults };
}

/** Messages whose id is their seq, unless told otherwise. */
function see(witness: Witness, seqs: readonly number[], ids: readonly number[] = seqs): void {
  for (const [index, seq] of seqs.entries()) witness.message({ epoch: EPOCH, seq }, ids[index] ?? seq);
}

function resubscribe(witness: Witness, seq: number, seqs: readonly number[], gap?: Gap): void {
  const publications = seqs.map((id) => ({ seq: id, data: { id } }));
  witness.subscribed({ epoch: EPOCH, seq, recovered: gap === undefined, publications, ...(gap && { gap }) });
}

describe('the checker finds nothing wrong where', () => {
  it('everything comes once and in order, live and recovered', () => {
    const { witness, faults } = channel();
    see(witness, [1, 2]);
    resubscribe(witness, 4, [3, 4]);
    see(witness, [5, 6]);
    expect(faults()).toEqual([]);
  });

  it('what is missing was announced, by a message or by the reply', () => {
    const { witness, faults } = channel();
    see(witness, [1]);
    witness.gap(EPOCH, { from: 2, to: 3 });
    see(witness, [4]);
    resubscribe(witness, 6, [6], { from: 5, to: 5 });
    expect(faults()).toEqual([]);
  });

  it('a reply has what is left before its gap, and within it', () => {
    const { witness, faults } = channel();
    see(witness, [1]);
    resubscribe(witness, 6, [2, 4], { from: 3, to: 6 });
    expect(faults()).toEqual([]);
    const shorter = channel();
    see(shorter.witness, [1, 2]);
    resubscribe(shorter.witness, 6, [3, 5, 6], { from: null, to: 4 });
    expect(shorter.faults()).toEqual([]);
  });

  it('an epoch takes over and the seq goes on', () => {
    const { ledger, witness, faults } = channel();
    see(witness, [1, 2, 3, 4, 5, 6]);
    ledger.sent(7);
    witness.message({ epoch: 'second', seq: 7 }, 7);
    expect(faults()).toEqual([]);
  });

  it('history was lost, this is announced, and a publisher had to repeat itself', () => {
    const { ledger, witness, faults } = channel();
    see(witness, [1, 2, 3]);
    witness.gap('second', { from: null, to: 0 });
    ledger.acknowledged({ id: 3, epoch: 'second', seq: 1, isFirstTry: false });
    witness.message({ epoch: 'second', seq: 1 }, 3);
    expect(faults()).toEqual([]);
  });
});

describe('the checker catches', () => {
  it('a lost message, live', () => {
    const { witness, faults } = channel();
    see(witness, [1, 2, 4, 5, 6]);
    expect(faults()).toContain('lost');
  });

  it('a lost message, recovered', () => {
    const { witness, faults } = channel();
    see(witness, [1]);
    resubscribe(witness, 6, [2, 3, 5, 6]);
    expect(faults()).toContain('lost');
  });

  it('a lost message beside the gap of a reply', () => {
    const { witness, faults } = channel();
    see(witness, [1]);
    resubscribe(witness, 6, [2, 6], { from: 4, to: 5 });
    expect(faults()).toContain('lost');
    const behind = channel();
    see(behind.witness, [1]);
    resubscribe(behind.witness, 6, [2, 4, 6], { from: 3, to: 3 });
    expect(behind.faults()).toContain('lost');
  });

  it('the last message lost, live and in a reply', () => {
    const live = channel();
    see(live.witness, [1, 2, 3, 4, 5]);
    expect(live.faults()).toEqual(['lost']);
    const recovered = channel();
    resubscribe(recovered.witness, 6, [1, 2, 3, 4, 5]);
    expect(recovered.faults()).toContain('lost');
  });

  it('a message lost as another epoch takes over', () => {
    const { ledger, witness, faults } = channel();
    see(witness, [1, 2, 3, 4, 5]);
    ledger.sent(7);
    witness.message({ epoch: 'second', seq: 6 }, 7);
    expect(faults()).toEqual(['lost']);
  });

  it('a doubled message, by its seq and by its data', () => {
    const bySeq = channel();
    see(bySeq.witness, [1, 2, 2, 3, 4, 5, 6]);
    expect(bySeq.faults()).toContain('doubled');
    const byData = channel();
    see(byData.witness, [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 2]);
    expect(byData.faults()).toEqual(['doubled']);
  });

  it('swapped messages, by their seq and by their data', () => {
    const bySeq = channel();
    see(bySeq.witness, [1, 3, 2, 4, 5, 6]);
    expect(bySeq.faults()).toContain('out of order');
    const byData = channel();
    see(byData.witness, [1, 2, 3, 4, 5, 6], [1, 3, 2, 4, 5, 6]);
    expect(byData.faults()).toContain('replaced');
  });

  it('a silently replaced message: another, one that nobody published, or one that differs between two subscribers', () => {
    const { ledger, witness, faults } = channel();
    see(witness, [1, 2, 3, 4, 5, 6], [1, 2, 3, 99, 5, 6]);
    expect(faults()).toContain('replaced');
    const two = new Ledger('feed:2');
    for (const id of [1, 2]) two.sent(id);
    for (const id of [1, 2]) {
      const one = two.witness(`subscriber ${id}`);
      one.subscribed({ epoch: EPOCH, seq: 0, recovered: false, publications: [] });
      one.message({ epoch: EPOCH, seq: 1 }, id);
    }
    expect(two.faults.map(({ kind }) => kind)).toEqual(['replaced']);
    expect(ledger.channel).toBe('feed:1');
  });

  it('another epoch, or an incomplete recovery, that is not announced', () => {
    const { ledger, witness, faults } = channel();
    see(witness, [1, 2, 3, 4, 5, 6]);
    ledger.sent(7);
    witness.message({ epoch: 'second', seq: 1 }, 7);
    expect(faults()).toContain('out of order');
    const reply = channel();
    see(reply.witness, [1, 2, 3]);
    reply.witness.subscribed({ epoch: EPOCH, seq: 3, recovered: false, publications: [] });
    expect(reply.faults()).toContain('unannounced');
  });

  it('a gap that is not where the subscriber stood', () => {
    const { witness, faults } = channel();
    see(witness, [1, 2]);
    witness.gap(EPOCH, { from: 4, to: 6 });
    expect(faults()).toContain('unannounced');
  });

  it('publications of one publisher that stand in another order than it sent them', () => {
    const { ledger, faults, witness } = channel();
    see(witness, [1, 2, 3, 4, 5, 6]);
    const first = IDS_PER_PUBLISHER + 1;
    for (const id of [first, first + 1]) ledger.sent(id);
    ledger.acknowledged({ id: first, epoch: EPOCH, seq: 8, isFirstTry: true });
    ledger.acknowledged({ id: first + 1, epoch: EPOCH, seq: 7, isFirstTry: true });
    see(witness, [7, 8], [first + 1, first]);
    expect(faults()).toEqual(['out of order']);
  });
});
