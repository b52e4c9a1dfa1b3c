import type { Capture } from '../../capture/capture.js';
import { throwIfCancelled } from '../../core/errors.js';
import { masksStage } from './masks.js';
import type { CompletionContext, CompletionOptions, CompletionStage } from './stage.js';

/** In the order in which they run: each may use what those before it added. */
const STAGES: readonly CompletionStage[] = [masksStage];

/** The stages that a capture needs. */
export const completionStages = (capture: Capture, options: CompletionOptions): CompletionStage[] =>
  STAGES.filter((stage) => stage.wanted(capture, options));

/** Gives a capture what it lacks and what can be found from its pictures: masks. */
export async function completeCapture(
  capture: Capture,
  options: CompletionOptions,
  context: CompletionContext,
): Promise<Capture> {
  let completed = capture;
  for (const stage of STAGES) {
    throwIfCancelled(context.signal);
    if (!stage.wanted(completed, options)) continue;
    const given = new Set(completed.warnings);
    completed = await stage.run(completed, options, context);
    for (const warning of completed.warnings) if (!given.has(warning)) context.warn(warning);
  }
  return completed;
}
