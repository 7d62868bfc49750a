// SPDX-License-Identifier: Apache-2.0
// A line of a few dozen numbers, drawn on a canvas; its words are beside it.
import { useEffect, useRef } from 'preact/hooks';
import { theme } from '../board.ts';

export function Spark({ values, width = 96, height = 20 }: { values: number[]; width?: number; height?: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = theme.value;
  useEffect(() => {
    const at = canvas.current;
    const pen = at?.getContext('2d');
    if (!at || !pen) return;
    const scale = devicePixelRatio || 1;
    at.width = width * scale;
    at.height = height * scale;
    pen.scale(scale, scale);
    const colour = getComputedStyle(at).color;
    const most = Math.max(1, ...values);
    const step = width / Math.max(1, values.length - 1);
    const y = (value: number) => height - 1.5 - (value / most) * (height - 4);
    pen.beginPath();
    values.forEach((value, i) => (i ? pen.lineTo(i * step, y(value)) : pen.moveTo(0, y(value))));
    pen.strokeStyle = colour;
    pen.lineWidth = 1.25;
    pen.lineJoin = 'round';
    pen.stroke();
    pen.lineTo(width, height);
    pen.lineTo(0, height);
    pen.globalAlpha = 0.14;
    pen.fillStyle = colour;
    pen.fill();
  }, [values, width, height, scheme]);
  return <canvas ref={canvas} class="spark" aria-hidden="true" style={{ width: `${width}px`, height: `${height}px` }} />;
}
