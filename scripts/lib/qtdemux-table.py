#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the table of docs/cencdecrypt.md: what plays behind stock qtdemux.

  qtdemux-table.py MANIFEST VERSION=FILE...

FILE is what the test decrypt-exposed wrote to $CENC_TABLE under GStreamer
VERSION; that test checks the column of the GStreamer it runs with."""
import csv
import pathlib
import sys

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'cencdecrypt.md'
HEAD = '| Vector | Scheme | Codec | Layout |'


def main():
    manifest, columns = sys.argv[1], [argument.split('=', 1) for argument in sys.argv[2:]]
    with open(manifest, newline='', encoding='utf-8') as file:
        vectors = list(csv.DictReader(file, delimiter='\t', quoting=csv.QUOTE_NONE))
    verdicts = [dict(line.split('\t') for line in pathlib.Path(path).read_text('utf-8').splitlines())
                for _, path in columns]
    lines = [HEAD + ''.join(f' {version} |' for version, _ in columns), '|---' * (4 + len(columns)) + '|']
    for vector in vectors:
        name = vector['file']
        layout = 'fragmented' if vector['fragmented'] == 'yes' else 'progressive'
        cells = [f'`{name}`', vector['scheme'], vector['codec'].replace(',', ', '), layout]
        lines.append('| ' + ' | '.join(cells + [verdict[name] for verdict in verdicts]) + ' |')
    old = DOCUMENT.read_text('utf-8').splitlines()
    first = next(i for i, line in enumerate(old) if line.startswith(HEAD))
    last = next((i for i in range(first, len(old)) if not old[i].startswith('|')), len(old))
    old[first:last] = lines
    DOCUMENT.write_text('\n'.join(old) + '\n', encoding='utf-8')
    for (version, _), verdict in zip(columns, verdicts):
        print(f'{version}: {list(verdict.values()).count("plays")} of {len(vectors)} play')


if __name__ == '__main__':
    main()
