# SPDX-License-Identifier: LGPL-2.1-or-later
"""The matrix as tables in Markdown: which codec in which scheme was given to which
judge how often, by layout and key plan too, and why some are not asked."""
import itertools
import pathlib

import matrix_judges
import matrix_plan

BEGIN, END = '<!-- tests/interop/matrix.py writes from here', '<!-- to here -->'
JUDGES = matrix_judges.JUDGES


def row(cells):
    return '| ' + ' | '.join(str(cell) for cell in cells) + ' |'


def table(head, rows):
    return '\n'.join([row(head), row(['---'] * len(head)), *map(row, rows)])


def count(plan, wanted):
    """For each judge, of how many streams of cases that are wanted it was asked."""
    numbers = dict.fromkeys((judge.name for judge in JUDGES), 0)
    for case, questions in plan:
        for judge, kinds in questions:
            numbers[judge.name] += sum(wanted(case, kind) for kind in kinds)
    return [numbers[judge.name] or '–' for judge in JUDGES]


def by_codec(plan):
    rows = []
    for scheme in matrix_plan.SCHEMES:
        for codec in matrix_plan.VIDEO + matrix_plan.AUDIO:
            rows.append([scheme, codec] + count(
                plan, lambda case, kind: case.scheme == scheme and getattr(case, kind) == codec))  # noqa: B023
    return table(['scheme', 'codec', *(judge.name for judge in JUDGES)], rows)


def by_layout(plan):
    rows = []
    for layout in matrix_plan.LAYOUTS:
        for keys in matrix_plan.PLANS:
            rows.append([layout, keys] + count(
                plan, lambda case, kind: case.layout == layout and case.plan == keys))  # noqa: B023
    return table(['layout', 'key plan', *(judge.name for judge in JUDGES)], rows)


def refusals():
    """What cencencrypt refuses, and why."""
    lines = {}
    for scheme, layout, keys in itertools.product(matrix_plan.SCHEMES, matrix_plan.LAYOUTS, matrix_plan.PLANS):
        why = matrix_plan.refused(scheme, layout, keys)
        if why:
            lines.setdefault((keys, why), {}).setdefault(layout, []).append(scheme)
    return '\n'.join(
        f'- {keys}, {why}: {", ".join(there)}' +
        ('' if schemes == list(matrix_plan.SCHEMES) else f' ({", ".join(schemes)})') + '.'
        for (keys, why), there in lines.items() for schemes in list(there.values())[:1])


def reasons():
    """Who is not asked of what, with the reason, in the order of the matrix."""
    lines = {}
    for layout, codecs in matrix_plan.CANNOT_MUX.items():
        for codec, why in codecs.items():
            lines[f'- {layout}: no {codec}, {why}.'] = None
    for judge in JUDGES:
        for case in matrix_plan.everything():
            for kind in matrix_judges.KEYS:
                why = judge.excuse(case, kind)
                if why:
                    lines[f'- {judge.name}: {why}.'] = None
    return '\n'.join(lines)


def absent():
    """Who has not been asked because it is not there."""
    return [judge.name for judge in JUDGES if not judge.here]


def text(plan):
    return f'{by_codec(plan)}\n\n{by_layout(plan)}\n'


def document():
    """What stands between the marks in the documentation."""
    plan = matrix_judges.questions(matrix_plan.everything(), judges=JUDGES)
    streams = sum(len(kinds) for _, questions in plan for _, kinds in questions)
    return (f'\n{len(plan)} files, {streams} judgments, each on one stream of a file.\n\n{text(plan)}\n'
            f'Refused, and judged to be an error without a file:\n\n{refusals()}\n\n'
            f'Not asked, and why:\n\n{reasons()}\n\n')


def parts(path):
    """(before, between, behind the marks)."""
    before, _, rest = pathlib.Path(path).read_text(encoding='utf-8').partition(BEGIN)
    mark, _, rest = rest.partition('-->\n')
    between, _, behind = rest.partition(END)
    if not behind:
        raise SystemExit(f'{path} has not the marks "{BEGIN} … -->" and "{END}"')
    return before + BEGIN + mark + '-->\n', between, END + behind


def write(path):
    before, _, behind = parts(path)
    pathlib.Path(path).write_text(before + document() + behind, encoding='utf-8')


def check(path):
    """Exit status: whether the document has today's table."""
    if parts(path)[1] == document():
        return 0
    print(f'{path} is not what tests/interop/matrix.py --full --table {path} would write')
    return 1
