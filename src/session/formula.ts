import jsep from 'jsep';
import type { MetricRule } from './metric.ts';
import { own } from './record.ts';

/**
 * Hybrid metrics: a formula over the other metrics of the same run, such as `cpu_time_s / tasks`.
 *
 * Text is parsed by jsep and only what is named here is taken over; nothing is ever evaluated as JavaScript. A metric's
 * name may hold `.`, `/` and `-`, which in a formula are signs: only names of letters, digits and _ can be used in one.
 */
export type Formula =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'metric'; readonly name: string }
  | { readonly kind: 'negative'; readonly of: Formula }
  | {
      readonly kind: 'operation';
      readonly operator: Operator;
      readonly left: Formula;
      readonly right: Formula;
    };

const OPERATORS = {
  '+': (left: number, right: number) => left + right,
  '-': (left: number, right: number) => left - right,
  '*': (left: number, right: number) => left * right,
  '/': (left: number, right: number) => left / right,
} as const;
type Operator = keyof typeof OPERATORS;
const isOperator = (text: string): text is Operator => Object.hasOwn(OPERATORS, text);

export const LEGAL_FORMULA =
  'metrics whose names are of letters, digits and _, numbers, + - * / and ( ), such as cpu_time_s / tasks';

const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
/** Longer is a mistake; it also bounds how deep brackets nest. */
const MAX_LENGTH = 500;
/** Formulas of formulas: a longer chain has no value. */
const DEEPEST = 100;

/** @returns undefined where the text is no formula: see LEGAL_FORMULA */
export function parseFormula(text: string): Formula | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  try {
    return toFormula(jsep(text) as jsep.CoreExpression);
  } catch {
    return undefined;
  }
}

function toFormula(node: jsep.CoreExpression): Formula | undefined {
  // The library's types leave every node open to more fields than its kind has.
  const inner = (expression: jsep.Expression) => toFormula(expression as jsep.CoreExpression);
  switch (node.type) {
    case 'Literal':
      return typeof node.value === 'number' && Number.isFinite(node.value)
        ? { kind: 'number', value: node.value }
        : undefined;
    case 'Identifier':
      return NAME.test(node.name) ? { kind: 'metric', name: node.name } : undefined;
    case 'UnaryExpression': {
      const of = inner(node.argument);
      return node.operator === '-' && of !== undefined ? { kind: 'negative', of } : undefined;
    }
    case 'BinaryExpression': {
      const [left, right] = [inner(node.left), inner(node.right)];
      return isOperator(node.operator) && left !== undefined && right !== undefined
        ? { kind: 'operation', operator: node.operator, left, right }
        : undefined;
    }
    default:
      return undefined;
  }
}

/** The metrics that a formula is over, each once. */
export function namesIn(formula: Formula): readonly string[] {
  switch (formula.kind) {
    case 'number':
      return [];
    case 'metric':
      return [formula.name];
    case 'negative':
      return namesIn(formula.of);
    case 'operation':
      return [...new Set([...namesIn(formula.left), ...namesIn(formula.right)])];
  }
}

function evaluate(formula: Formula, valueOf: (name: string) => number | undefined): number | undefined {
  switch (formula.kind) {
    case 'number':
      return formula.value;
    case 'metric':
      return valueOf(formula.name);
    case 'negative': {
      const value = evaluate(formula.of, valueOf);
      return value === undefined ? undefined : -value;
    }
    case 'operation': {
      const left = evaluate(formula.left, valueOf);
      const right = evaluate(formula.right, valueOf);
      if (left === undefined || right === undefined) return undefined;
      const value = OPERATORS[formula.operator](left, right);
      // Here and not at the end: by an infinity one can divide again.
      return Number.isFinite(value) ? value : undefined;
    }
  }
}

/**
 * A run's metrics with its hybrids. One is absent where a metric that it needs is, and where it has no finite value
 * (a division by zero). A workload's own metric of the same name gives way to the formula.
 */
export function withHybrids(
  measured: Readonly<Record<string, number>>,
  rules: readonly MetricRule[],
): Record<string, number> {
  const formulas = new Map(
    rules.flatMap(({ name, formula }) => (formula === undefined ? [] : [[name, parseFormula(formula)]])),
  );
  /** What is known, or being worked out: a session's file may hold the circle that the configuration refuses. */
  const known = new Map<string, number | undefined>();
  const valueOf = (name: string, depth: number): number | undefined => {
    if (!formulas.has(name)) return own(measured, name);
    if (known.has(name) || depth > DEEPEST) return known.get(name);
    known.set(name, undefined);
    const formula = formulas.get(name);
    const value = formula === undefined ? undefined : evaluate(formula, (inner) => valueOf(inner, depth + 1));
    known.set(name, value);
    return value;
  };
  return Object.fromEntries(
    [...new Set([...Object.keys(measured), ...formulas.keys()])].flatMap((name) => {
      const value = valueOf(name, 0);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
