const WIDTH = 720;
const LABEL = 230;
const ROW = 26;
const TOP = 44;

/** Bars on a logarithmic scale: one use of a live instance, in times of `await map.get(id)`. */
export function chart(results) {
  const rows = results.toSorted((one, other) => one.ratio - other.ratio);
  const most = Math.max(...rows.map(({ ratio }) => ratio));
  const least = Math.min(0.5, ...rows.map(({ ratio }) => ratio));
  const x = (ratio) => LABEL + ((Math.log(ratio) - Math.log(least)) / (Math.log(most) - Math.log(least))) * (WIDTH - LABEL - 60);
  const height = TOP + rows.length * ROW + 12;
  const bars = rows.map(({ name, ratio }, index) => {
    const y = TOP + index * ROW;
    const colour = name.startsWith('hydrant') ? '#0b7285' : '#adb5bd';
    return (
      `<text x="${LABEL - 8}" y="${y + 15}" text-anchor="end">${escaped(name)}</text>`
      + `<rect x="${LABEL}" y="${y + 3}" width="${Math.max(2, x(ratio) - LABEL).toFixed(1)}" height="${ROW - 8}" `
      + `rx="2" fill="${colour}"/>`
      + `<text x="${(x(ratio) + 6).toFixed(1)}" y="${y + 15}">${ratio.toFixed(ratio < 10 ? 2 : 0)}×</text>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" `
      + 'font-size="13" fill="#212529">',
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    '<text x="12" y="24" font-size="15" font-weight="600">One use of a live instance, 1 000 ids, in times of await '
      + 'map.get(id) (logarithmic)</text>',
    ...bars,
    '</svg>',
    '',
  ].join('\n');
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
