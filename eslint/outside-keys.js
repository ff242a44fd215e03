import ts from 'typescript';

/** What every plain object has although nobody put it there. */
const INHERITED = Object.getOwnPropertyNames(Object.prototype);

/**
 * Keys that come from outside (names of metrics, variants, benchmarks, files) meet no plain object: `constructor` and
 * `toString` are read of every object, and `__proto__ = …` is no key at all. Types tell where that can be: a key of the
 * type `string`, of an object with an index signature. A `Map`, or `own` of src/session/record.ts, has what it was given
 * and nothing else; `Object.fromEntries`, spreads and computed keys of a literal define, and are safe to build with.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const outsideKeys = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      write:
        'A key from outside is set on a plain object, where `__proto__` sets no key. Use a Map, or build the object with Object.fromEntries.',
      read: 'A key from outside is read of a plain object, which inherits `constructor`. Use a Map, or `own(record, key)`.',
      in: 'A key from outside is looked up with `in`, which finds `constructor` in every object. Use Object.hasOwn.',
      cast: 'A text is taken for one of the known keys. Use `own(record, key)`, or find it in the list of keys.',
      assign: 'Object.assign sets each key, and `__proto__` sets no key. Use a spread.',
    },
  },
  create(context) {
    const { esTreeNodeToTSNodeMap, program } = context.sourceCode.parserServices;
    const checker = program.getTypeChecker();
    const typeOf = (node) => checker.getTypeAtLocation(esTreeNodeToTSNodeMap.get(node));
    const textOf = (node) => context.sourceCode.getText(node);
    const membersOf = (type) => {
      const plain = type.flags & ts.TypeFlags.TypeParameter ? checker.getBaseConstraintOfType(type) : type;
      return plain === undefined ? [] : plain.isUnion() ? plain.types : [plain];
    };

    /** Any text: not one of some known ones, no number, and not one that begins as no inherited name does. */
    const isOutside = (node) =>
      !isPrefixed(node) &&
      membersOf(typeOf(node)).some(
        ({ flags }) =>
          flags & (ts.TypeFlags.String | ts.TypeFlags.TemplateLiteral | ts.TypeFlags.StringMapping),
      );
    const isPrefixed = ({ type, quasis }) => {
      const prefix = type === 'TemplateLiteral' ? quasis[0].value.cooked : '';
      return prefix !== '' && INHERITED.every((name) => !name.startsWith(prefix));
    };
    const isRecord = (node) =>
      membersOf(typeOf(node)).some(
        (type) =>
          checker.getIndexInfoOfType(checker.getApparentType(type), ts.IndexKind.String) !== undefined,
      );

    /** `Object.hasOwn(record, key) ? record[key] : …`, and with `&&`. */
    const isGuarded = (node) => {
      const asked = `Object.hasOwn(${textOf(node.object)}, ${textOf(node.property)})`;
      for (
        let at = node;
        at.parent !== null && !/Function|Statement|Declaration/.test(at.type);
        at = at.parent
      ) {
        const { parent } = at;
        if (
          parent.type === 'ConditionalExpression' &&
          parent.consequent === at &&
          textOf(parent.test) === asked
        )
          return true;
        if (parent.type === 'LogicalExpression' && parent.operator === '&&' && parent.right === at)
          if (textOf(parent.left) === asked) return true;
      }
      return false;
    };
    const isTarget = ({ parent }, node) =>
      (parent.type === 'AssignmentExpression' && parent.left === node) || parent.type === 'UpdateExpression';

    return {
      MemberExpression(node) {
        if (!node.computed) return;
        const { object, property, parent } = node;
        if (parent.type === 'UnaryExpression' && parent.operator === 'delete') return;
        if (property.type === 'TSAsExpression' && isOutside(property.expression)) {
          context.report({ node, messageId: 'cast' });
          return;
        }
        if (!isOutside(property) || !isRecord(object)) return;
        if (isTarget(node, node)) context.report({ node, messageId: 'write' });
        else if (!isGuarded(node)) context.report({ node, messageId: 'read' });
      },
      ObjectPattern(node) {
        for (const { type, computed, key } of node.properties)
          if (type === 'Property' && computed && isOutside(key) && isRecord(node))
            context.report({ node: key, messageId: 'read' });
      },
      BinaryExpression(node) {
        if (node.operator === 'in' && node.left.type !== 'PrivateIdentifier' && isOutside(node.left))
          context.report({ node, messageId: 'in' });
      },
      CallExpression(node) {
        const [, ...sources] = node.arguments;
        if (textOf(node.callee) === 'Object.assign' && sources.some(isRecord))
          context.report({ node, messageId: 'assign' });
      },
    };
  },
};
