#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lets others judge what smilremixsrc makes of playlists over sources that ffmpeg
encodes: our own reading of the tables, ffmpeg, qtdemux in pull and in push
mode, Chromium by MSE and by a plain file. First the judges are judged.

  remix.py [--counts FILE] [--keep DIRECTORY] [PATTERN...]

Only checks whose "case: judge" contains one of the PATTERNs are run. --counts
writes "PASSED FAILED SKIPPED". --keep leaves the files there."""
import argparse
import concurrent.futures
import copy
import os
import pathlib
import shutil
import sys
import tempfile
import time
from fractions import Fraction

import remix_cases as cases
import remix_judges as judges
import remix_sources as sources
import tools
from remix_run import Run
from tools import Rejected


def expect_rejection(judge, *args):
    try:
        judge(*args)
    except Rejected:
        return
    raise Rejected('passes what it should reject')


def judge_judges(run, made):
    """On the bumper: a picture that is missing or another one, times and sound that
    are off by little."""
    case = made.case
    one_less = copy.copy(made)
    one_less.case = copy.copy(case)
    one_less.case.parts = [case.parts[0], cases.Part('M', 1, 251)]
    other = copy.copy(made)
    other.case = copy.copy(case)
    other.case.parts = [case.parts[0], cases.Part('M', 0, 250, 'F')]
    for name, judge in judges.JUDGES.items():
        if name not in ('twice', 'ffmpeg on fragments'):
            run.check(f'judges: {name} rejects other pictures', expect_rejection, judge, one_less)
    run.check('judges: tables reject the sound of another clip', expect_rejection, judges.own_tables, other)
    sound = sources.tables(made.plain).of(b'soun')[0]
    run.check('judges: sound 11 ms late is rejected', expect_rejection, judges.check_sound, made, sound,
              False, Fraction(11, 1000))


def make_and_judge(run, case, folders, here):
    """Makes a case's files and has them judged; gives those that Chromium plays."""
    names = [f'{case.name}: {judge}' for judge in (*judges.JUDGES, 'Chromium', 'made')]
    if not any(run.wants(name) for name in names):
        return []
    try:
        made = judges.make(case, folders['mixed'], here)
        for name, judge in judges.JUDGES.items():
            if name != 'twice' or case.name.startswith(('1 ', '15', '12')):
                run.check(f'{case.name}: {name}', judge, made)
        if case.name.startswith('2 '):
            judge_judges(run, made)
        return browser_jobs(run, case, made, folders, here)
    except Rejected as error:
        run.check(f'{case.name}: made', raise_it, error)
        return []


def raise_it(error):
    raise error


def browser_jobs(run, case, made, folders, here):
    """(case, job) of what Chromium is to play."""
    jobs = []
    if 'MSE' in case.browser:
        jobs.append((case, judges.browser_job(f'{case.name}: Chromium by MSE', made.fragmented, True)))
    if 'file' in case.browser and case.plain:
        plain = made if case.plain == 'mixed' else judges.make(case, folders[case.plain], here)
        jobs.append((case, judges.browser_job(f'{case.name}: Chromium on the file', plain.plain, False)))
    if case.name.startswith('1 '):
        jobs += in_band_jobs(case, made, here)
    return [job for job in jobs if run.wants(job[1]['name'])]


def in_band_jobs(case, made, here):
    """Of sources of different sets: one description, which Chromium follows in both layouts."""
    for name, mse, layout in (('the file', False, ''), ('MSE', True, f'fragment-duration={judges.FRAGMENT}')):
        path = here / f'in-band.{name.split()[-1]}.mp4'
        judges.remix(made.playlist, path, f'parameter-sets=in-band {layout}')
        yield case, judges.browser_job(f'{case.name}: Chromium on {name}, sets in band', path, mse)


def browse(run, jobs):
    if not jobs:
        return
    started = time.monotonic()
    reports = {}
    run.check('Chromium', lambda: reports.update(judges.browse([job for _, job in jobs])))
    print(f'            Chromium took {time.monotonic() - started:.1f} s for {len(jobs)} files')
    for case, job in jobs:
        run.check(job['name'], judges.check_report, case, reports.get(job['name']), job['mse'])


def run_all(run, folder):
    started = time.monotonic()
    folders = sources.make(folder)
    print(f'            the sources took {time.monotonic() - started:.1f} s')
    here = folder / 'out'
    here.mkdir()
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        made = list(pool.map(lambda case: make_and_judge(run, case, folders, here), cases.CASES))
        list(pool.map(lambda refusal: run.check(f'{refusal.name}: is an error', judges.refused, refusal,
                                                folders['mixed'], here), cases.REFUSALS))
    browse(run, [job for jobs in made for job in jobs])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--counts')
    parser.add_argument('--keep')
    parser.add_argument('patterns', nargs='*')
    args = parser.parse_args()
    run = Run(args.patterns)
    tools.TIMEOUT = 180
    if args.keep:
        shutil.rmtree(args.keep, ignore_errors=True)
        os.makedirs(args.keep)
        run_all(run, pathlib.Path(args.keep).resolve())
    else:
        with tempfile.TemporaryDirectory() as folder:
            run_all(run, pathlib.Path(folder))
    sys.exit(run.finish(args.counts))


if __name__ == '__main__':
    main()
