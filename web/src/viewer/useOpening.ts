import { type RefObject, useEffect, useRef, useState } from 'react';
import type { Stage } from './stage.js';
import type { StageView } from './views.js';

/** What lies over the model where it stands at a camera. */
export interface Over {
  mode: 'slider' | 'error' | 'model';
  /** Where the picture ends and the model begins, per cent of the width. */
  edge: number;
}

/** How the opening goes: the photograph alone, the photograph becoming the model, and then the stage is the user's. */
export type Act = 'opening' | 'dissolving' | 'free';

/** Milliseconds that the photograph stands alone, and in which it dissolves (as long as the style sheet has it). */
const HOLD = 900;
const DISSOLVE = 1500;
/** Seconds in which the camera then steps back. */
const STEP_BACK = 1.6;

interface Props {
  views: StageView[];
  opening: number;
  /** The model is there. */
  ready: boolean;
  stage: RefObject<Stage | undefined>;
  onTurn: (turntable: boolean) => void;
}

export interface Opening {
  /** The view at which the stage stands. */
  at: number | undefined;
  act: Act;
  over: Over;
  setOver: (over: Over) => void;
  /** Goes to a view, or with `undefined` steps back to see all of the model. */
  choose: (index: number | undefined, seconds: number) => void;
  /** The user takes the camera. */
  take: () => void;
  replay: () => void;
  /** To be told when the photograph is on screen, or cannot be. */
  loaded: () => void;
}

/**
 * The stage opens inside a photograph: it dissolves into the model seen by the same camera, which then steps back and
 * begins to turn. Who wants no motion finds half the photograph over the model.
 */
export function useOpening({ views, opening, ready, stage, onTurn }: Props): Opening {
  const still = useRef(matchMedia('(prefers-reduced-motion: reduce)').matches);
  const first = views.length > 0 ? Math.min(opening, views.length - 1) : undefined;
  const [at, setAt] = useState<number | undefined>(first);
  const [act, setAct] = useState<Act>(first === undefined ? 'free' : 'opening');
  const [over, setOver] = useState<Over>({ mode: 'slider', edge: 50 });
  const [pictured, setPictured] = useState(false);
  const turn = useRef(onTurn);
  turn.current = onTurn;

  useEffect(() => {
    if (act !== 'opening' || first === undefined || !ready) return;
    void stage.current?.stand(views[first].camera);
    if (!pictured) return;
    if (still.current) {
      setAct('free');
      return;
    }
    const timer = setTimeout(() => setAct('dissolving'), HOLD);
    return () => clearTimeout(timer);
  }, [act, first, ready, pictured, stage, views]);
  useEffect(() => {
    if (act !== 'dissolving') return;
    let stopped = false;
    const timer = setTimeout(async () => {
      setAt(undefined);
      await stage.current?.leave(STEP_BACK);
      if (stopped) return;
      setAct('free');
      turn.current(true);
    }, DISSOLVE);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [act, stage]);

  const take = (): void => {
    setAt(undefined);
    setAct('free');
  };
  return {
    at,
    act,
    over: act === 'free' ? over : { mode: 'slider', edge: 100 },
    setOver,
    choose(index, seconds) {
      turn.current(false);
      setAct('free');
      setAt(index);
      if (index === undefined) void stage.current?.leave(seconds);
      else void stage.current?.stand(views[index].camera, seconds);
    },
    take,
    replay() {
      turn.current(false);
      setAt(first);
      setAct('opening');
    },
    loaded: () => setPictured(true),
  };
}
