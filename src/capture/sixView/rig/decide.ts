import { pause } from '../../../core/pause.js';
import type { Meanings } from './byColor.js';
import type { Fitting, Tried } from './coarseFit.js';
import type { Hypothesis } from './hypotheses.js';
import { type OpenDepth, openDepths } from './openDepths.js';
import { reconsider } from './reconsider.js';
import { asItIs, finish, refineRig } from './refineRig.js';

/** Rivals with parameters of their own that are refined. */
const REFINED = 3;

const isSame = (p: Tried, q: Tried): boolean =>
  JSON.stringify(p.hypothesis.arrangement) === JSON.stringify(q.hypothesis.arrangement);

/** Whether two hold the depth values for the same kind. */
const isOneKind = (p: Tried, q: Tried): boolean =>
  p.hypothesis.model === q.hypothesis.model && p.hypothesis.sign === q.hypothesis.sign;

/** What is taken in the end, with what else fits. */
export interface Decision {
  chosen: Tried;
  meanings: Meanings;
  open: OpenDepth[];
}

/**
 * Decides what the names mean, with all that could still win refined: the meanings under which the refined parameters
 * fit as well, and coarse rivals with parameters of their own.
 *
 * @param hypotheses of the kind of depth values that was chosen
 */
export async function decide(
  fitting: Fitting,
  hypotheses: readonly Hypothesis[],
  refined: Tried,
  rivals: readonly Tried[],
): Promise<Decision> {
  const { parameters } = refined.fit;
  const open = openDepths(fitting, refined.hypothesis, parameters);
  let meanings = reconsider(fitting, hypotheses, parameters);
  const alike = [meanings.first, ...meanings.rivals];
  const unlike = rivals.filter((r) => isOneKind(r, refined) && !alike.some((t) => isSame(t, r)));
  const others: Tried[] = [];
  for (const rival of unlike.slice(0, REFINED)) {
    others.push({ ...rival, fit: await refineRig(fitting, rival, [rival]) });
  }
  if (others.length > 0) meanings = reconsider(fitting, hypotheses, parameters, others);
  const { hypothesis } = meanings.first;
  if (isSame(meanings.first, refined)) {
    const fit = open.length > 0 ? asItIs(fitting, hypothesis, parameters) : refined.fit;
    return { chosen: { hypothesis: refined.hypothesis, fit }, meanings, open };
  }
  await pause();
  const fit = finish(fitting, hypothesis, meanings.first.fit.parameters);
  const openThen = openDepths(fitting, hypothesis, fit.parameters);
  return {
    chosen: { hypothesis, fit: openThen.length > 0 ? asItIs(fitting, hypothesis, fit.parameters) : fit },
    meanings,
    open: openThen,
  };
}
