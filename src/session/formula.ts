import jsep from 'jsep';
import type { MetricRule } from './metric.ts';
import { own } from './record.ts';

/**
 * Formula metrics: a formula over the other metrics of the same run, such as `cpu_time_s / tasks`. jsep parses the
 * text, and only the kinds of nodes named here are accepted; nothing is evaluated as JavaScript. A metric's name may
 * contain `.`, `/` and `-`, which are operators in a formula, so a formula can only use names of letters, digits and _.
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
/** A longer text is a mistake. The bound also limits how deep brackets nest. */
const MAX_LENGTH = 500;
/** The longest chain of formulas that use formulas; a longer one has no value. */
const DEEPEST = 100;

/** @returns undefined if the text is not a formula: see LEGAL_FORMULA */
export function parseFormula(text: string): Formula | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  try {
    return toFormula(jsep(text) as jsep.CoreExpression);
  } catch {
    return undefined;
  }
}

function toFormula(node: jsep.CoreExpression): Formula | undefined {
  // The library's types allow more fields in a node than its kind has.
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

/** The metrics that a formula uses, each once. */
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
      // Each step must be finite, not only the result: dividing by an infinity gives a finite number again.
      return Number.isFinite(value) ? value : undefined;
    }
  }
}

/**
 * A run's metrics and its formula metrics. A formula metric is absent if a metric that it needs is absent, or if its
 * value is not finite (a division by zero). The formula replaces a business metric of the same name.
 */
export function withHybrids(
  measured: Readonly<Record<string, number>>,
  rules: readonly MetricRule[],
): Record<string, number> {
  const formulas = new Map(
    rules.flatMap(({ name, formula }) => (formula === undefined ? [] : [[name, parseFormula(formula)]])),
  );
  /**
   * Values that are computed, or being computed: a session file may contain a circle, which the configuration refuses.
   */
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
