// SPDX-License-Identifier: Apache-2.0
// A JsonLogic rule as lines that can be read, the branch that decided marked.
import { t } from '../text.ts';

interface Line { depth: number; text: string; path: string }

/** What of a definition is logic: its targeting, or the rule that makes its value. */
export function ruleOf(definition: Record<string, unknown> | undefined): unknown {
  return definition?.['targeting'] ?? definition?.['value'];
}

function leaf(rule: unknown): string | null {
  if (rule === null || typeof rule !== 'object') return JSON.stringify(rule) ?? 'null';
  const keys = Object.keys(rule);
  if (keys.length === 1 && keys[0] === 'var') {
    const name = (rule as { var: unknown }).var;
    return typeof name === 'string' ? name : JSON.stringify(name);
  }
  return null;
}

/** `path` is a JSON pointer below the rule. Short things stand on one line. */
export function linesOf(rule: unknown, path = '', depth = 0): Line[] {
  const simple = leaf(rule);
  if (simple !== null) return [{ depth, text: simple, path }];
  const entries = Object.entries(rule as object);
  if (entries.length !== 1) return [{ depth, text: JSON.stringify(rule), path }];
  const [operator, given] = entries[0]!;
  const operands: unknown[] = Array.isArray(given) ? given : [given];
  const leaves = operands.map(leaf);
  if (leaves.every((it) => it !== null) && operator !== 'if') {
    const text = leaves.length === 2 && !/^[a-z]/i.test(operator) ? `${leaves[0]} ${operator} ${leaves[1]}` : `${operator} ${leaves.join(', ')}`;
    return [{ depth, text, path }];
  }
  const lines: Line[] = [{ depth, text: operator, path }];
  operands.forEach((operand, i) => {
    const inner = linesOf(operand, `${path}/${operator}/${i}`, depth + 1);
    if (operator === 'if' && inner[0]) inner[0].text = `${i % 2 === 0 ? (i === operands.length - 1 ? 'else ' : 'when ') : 'then '}${inner[0].text}`;
    lines.push(...inner);
  });
  return lines;
}

export function Rule({ rule, branch }: { rule: unknown; branch?: string | undefined }) {
  const at = branch?.replace(/^\/?(targeting|value)(?=\/)/, '');
  const lines = linesOf(rule);
  // The pointer may lead into what stands on one line: the nearest line around it is meant.
  const marked = at === undefined ? -1 : lines.reduce((best, line, i) => ((at === line.path || at.startsWith(`${line.path}/`)) && (best < 0 || line.path.length >= lines[best]!.path.length) ? i : best), -1);
  return (
    <div class="rule">
      {lines.map((line, i) => (
        <div key={i} class={i === marked ? 'marked' : ''} style={{ paddingLeft: `${line.depth * 16 + 8}px` }}>
          <code><bdi>{line.text}</bdi></code>{i === marked && <span class="mark-text">{t.why.decided}</span>}
        </div>
      ))}
    </div>
  );
}
