# SPDX-License-Identifier: LGPL-2.1-or-later
"""The judges of what smilremixsrc makes. Each raises Rejected with its reason,
and none trusts an exit status alone."""
import dataclasses
import functools
import http.server
import json
import pathlib
import queue
import re
import subprocess
import threading
from fractions import Fraction

import chromium
import remix_sources as sources
import remix_tables
import tools
from tools import Rejected

FRAGMENT = 2000
AAC = Fraction(1024, 48000)
HALF = AAC / 2 + Fraction(1, 48000)  # and a tick, for rounding
WARNING = re.compile(r'^WARNING: .*\n.*\n.*\n(.*)', re.MULTILINE)
TICK = Fraction(1, 1000000)
BROWSER = {'rate': 16, 'parallel': 4, 'patience': 120}


@dataclasses.dataclass
class Made:
    """A case's files."""
    case: object
    folder: pathlib.Path   # of the sources
    playlist: pathlib.Path
    plain: pathlib.Path
    fragmented: pathlib.Path


def require(condition, text):
    if not condition:
        raise Rejected(text)


def remix(playlist, path, properties=''):
    """Writes the title; gives what was said, warnings included. Rejected, with all
    of it, if that fails."""
    # Each picture has to be the source's own.
    command = ['gst-launch-1.0', 'smilremixsrc', 'encode-cuts=false', f'location={playlist}', *properties.split(), '!',
               'filesink', f'location={path}']
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=tools.TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise Rejected('gst-launch-1.0 hangs') from error
    said = done.stdout.decode(errors='replace')
    require(done.returncode == 0, f'exit status {done.returncode}: {said}')
    return said


def make(case, folder, here):
    """Both layouts of case over the sources in folder, into here."""
    name = re.sub(r'[^0-9A-Za-z]+', '-', case.name)
    made = Made(case, folder, folder / f'{name}.smil', here / f'{name}.{folder.name}.mp4',
                here / f'{name}.{folder.name}.fragments.mp4')
    made.playlist.write_text(case.document(), encoding='utf-8')
    for path, properties in ((made.plain, ''), (made.fragmented, f'fragment-duration={FRAGMENT}')):
        said = remix(made.playlist, path, f'{case.properties} {properties}')
        warnings = WARNING.findall(said)
        wanted = case.warnings(path == made.fragmented, folder.name == 'uniform')
        require(len(warnings) == len(wanted) and all(text in said for text in wanted),
                f'warnings {warnings} instead of {wanted}')
    return made


def starts(made, parts):
    """When each part starts, and the end: where the pictures before it end."""
    times = [Fraction(0)]
    for part in parts:
        track = sources.tables(made.folder / f'{part.source}.mp4').of(b'vide')[0]
        shown = sorted((track.time(s), s.duration) for s in track.samples)[part.first:part.last]
        times.append(times[-1] + Fraction(sum(duration for _, duration in shown), track.timescale))
    return times


def source_track(part, number):
    """In 'all' the bitrates are in another order."""
    return {0: 1, 1: 2, 2: 0}[number] if part.source == 'all' else 0


def expected(made, number, decoded, fragmented=False):
    """[(time, MD5)] of what a video track shows: its samples, or decoded."""
    found, parts = [], made.case.tracks(fragmented)[number]
    for part, start in zip(parts, starts(made, parts)):
        path, track = made.folder / f'{part.source}.mp4', source_track(part, number)
        samples = sources.samples(path, b'vide', track)[part.first:part.last]
        require(len(samples) == part.last - part.first, f'{path.name} has too few pictures')
        md5s = sources.pictures(path, track)[part.first:part.last] if decoded else [md5 for _, md5 in samples]
        found += [(start + time - samples[0][0], md5) for (time, _), md5 in zip(samples, md5s)]
    return found


def compare(what, wanted, got):
    """Both are [(time in seconds, MD5)]."""
    tools.expect_equal(what, [md5 for _, md5 in wanted], [md5 for _, md5 in got])
    for number, ((time, _), (other, _)) in enumerate(zip(wanted, got)):
        require(abs(time - other) <= TICK,
                f'{what}: number {number} is shown at {float(other):.6f} s instead of {float(time):.6f} s')


def check_track(made, movie_timescale, track, fragmented):
    name, end = track.handler.decode(), 0
    require(len(track.edits) == 1 and track.edits[0][1] >= 0, f'{name}: the edits are {track.edits}')
    for sample in track.samples:
        require(sample.composition >= 0, f'{name}: a composition offset of {sample.composition}')
        require(sample.duration > 0 and sample.dts == end, f'{name}: a hole at {end}')
        end += sample.duration
    if not fragmented:
        shown = Fraction(track.edits[0][0], movie_timescale)
        require(abs(shown - made.case.seconds) < Fraction(1, movie_timescale) + TICK, f'{name} lasts {float(shown)} s')
        require(track.media_duration == end, f'{name}: mdhd says {track.media_duration}, stts {end}')


def visible(made, items, fragmented):
    """What lies in the edit, of [(time, MD5)]; the same number is left of pictures."""
    return [one for one in items if -TICK <= one[0] < made.case.lasts(fragmented) - TICK]


def check_video(made, track, number, fragmented):
    """Shown is what was asked for, when it was; what is hidden comes before it."""
    compare(f'samples of picture {number}', expected(made, number, False, fragmented),
            visible(made, sources.shown(track), fragmented))


def heard(made, part, begin):
    """{MD5: [time]} of a part's sound, on the timeline of the part."""
    found = {}
    if part.heard:
        for time, md5 in sources.samples(made.folder / f'{part.heard}.mp4', b'soun'):
            found.setdefault(md5, []).append(time - begin)
    return found


def sound_parts(made, fragmented):
    """[(start, end, heard)] of the title."""
    parts, found = made.case.tracks(fragmented)[0], []
    times = starts(made, parts)
    for part, start, end in zip(parts, times, times[1:]):
        path = made.folder / f'{part.source}.mp4'
        begin = sources.samples(path, b'vide', source_track(part, 0))[part.first][0]
        found.append((start, end, heard(made, part, begin)))
    return found


def may_be_silent(parts, time):
    """A clip that the frame at time lies in has no sound, or none any more."""
    return any(not sound or time + AAC - start > max(max(times) for times in sound.values())
               for start, _, sound in parts)


def check_sound(made, track, fragmented=False, late=Fraction(0)):
    """The grid has no hole, and on it lie frames that the source has within half a
    frame of there, or silence. late: what the judge itself is judged with."""
    parts, silences = sound_parts(made, fragmented), set()
    times = [track.time(sample) for sample in track.samples]
    for one, other in zip(times, times[1:]):
        require(other - one == AAC, f'sound: a step of {float(other - one)} s at {float(one)} s')
    lasts = made.case.lasts(fragmented)
    require(times[0] <= 0 and lasts - AAC <= times[-1] < lasts,
            f'sound goes from {float(times[0])} s to {float(times[-1] + AAC)} s')
    for time, sample in zip(times, track.samples):
        near = [part for part in parts if part[0] < time + AAC and time < part[1]] or parts[:1]
        off = [abs(time + late - start - at) for start, _, sound in near for at in sound.get(sample.md5, [])]
        if off:
            require(min(off) <= HALF,
                    f'sound at {float(time):.3f} s is {float(min(off)) * 1000:.1f} ms off the picture')
        else:
            require(may_be_silent(near, time), f'sound at {float(time):.3f} s is not that of its clip')
            silences.add(sample.md5)
    require(len(silences) <= 1, 'several kinds of silence')


def check_extra(found, handler, items):
    track = found.of(handler)[0]
    shown = [(track.time(s), Fraction(s.duration, track.timescale), found.data[s.offset:s.offset + s.size])
             for s in track.samples]
    require(len(shown) == len(items), f'{handler.decode()}: {len(shown)} samples instead of {len(items)}')
    for (time, duration, data), wanted in zip(shown, items):
        require((time, duration) == wanted[:2] and data.startswith(wanted[2], 4 if b'emsg' in wanted[2] else 0),
                f'{handler.decode()}: {data[:40]} at {float(time)} s for {float(duration)} s instead of {wanted}')


def tables(made, path, fragmented):
    """Our own reading of the boxes, by the standard's letter."""
    try:
        found = remix_tables.Tables(path)
    except remix_tables.Broken as error:
        raise Rejected(str(error)) from error
    order = [kind for kind, *_ in found.top]
    require(order.index(b'moov') < order.index(b'mdat') and bool(found.fragments) == fragmented, f'boxes {order}')
    require(not any(found.dates), 'mvhd has a date')
    videos, sounds = found.of(b'vide'), found.of(b'soun')
    require((len(videos), len(sounds)) == (len(made.case.tracks()), 1), f'{len(videos)} pictures, {len(sounds)} sounds')
    require(len(videos[0].entries) == made.case.entries, f'{len(videos[0].entries)} descriptions of the picture')
    require(len(sounds[0].entries) == 1, f'{len(sounds[0].entries)} descriptions of the sound')
    for track in found.tracks:
        check_track(made, found.movie_timescale, track, fragmented)
    for number, track in enumerate(videos):
        check_video(made, track, number, fragmented)
    check_sound(made, sounds[0], fragmented)
    for handler, items in made.case.extra.items():
        check_extra(found, handler, items)


def own_tables(made):
    tables(made, made.plain, False)


def own_tables_of_fragments(made):
    tables(made, made.fragmented, True)


def ffmpeg(made, path=None, fragmented=False):
    """Every picture as it is decoded from the source, when it has to be shown; sound
    that decodes without an error, as long as the picture but for a frame."""
    path = path or made.plain
    for number in range(len(made.case.tracks()) if 'ffmpeg' in made.case.decoders else 0):
        shown = visible(made, sources.decoded(path, number), fragmented)
        compare(f'pictures {number}', expected(made, number, True, fragmented), shown)
    seconds = sum(sources.sound_durations(path))
    # What lies in front of the edit is not hidden where it is in fragments.
    priming = AAC * 2 if fragmented else 0
    require(-AAC <= seconds - made.case.lasts(fragmented) <= AAC + priming, f'{float(seconds)} s of sound')


def ffmpeg_fragments(made):
    """ffmpeg 5.1 does not follow a change of the sample description from one
    fragment to the next."""
    if made.case.entries == 1:
        ffmpeg(made, made.fragmented, True)


def seconds_of(items):
    return [(Fraction(time, 10 ** 9), md5) for time, md5 in items if time is not None]


def until_qtdemux_ends(made, track, fragmented):
    """How many samples qtdemux gives of a track, at least: GStreamer 1.22 takes the
    edit's duration for a time of the media, and ends a track behind a sync
    sample from there on."""
    lasts, samples = made.case.lasts(fragmented) * track.timescale, track.samples
    return next((number + 1 for number, (one, following) in enumerate(zip(samples, samples[1:]))
                 if not fragmented and one.sync and following.dts >= lasts), len(samples))


def check_pictures(made, what, number, track, stream, fragmented):
    """Of several descriptions in fragments qtdemux 1.22 tells too early when it
    pulls: the bytes are right, what is decoded is not."""
    end = until_qtdemux_ends(made, track, fragmented)
    lost = {track.time(sample) for sample in track.samples[end:]}
    kinds = {'samples': False}
    if 'qtdemux' in made.case.decoders and (what != 'pull, fragments' or len(track.entries) == 1):
        kinds['pictures'] = True
    for kind, decoded in kinds.items():
        wanted = expected(made, number, decoded, fragmented)
        got = visible(made, sorted(seconds_of(stream[kind])), fragmented)
        if len(got) < len(wanted):
            wanted = [one for one in wanted if one[0] not in lost]
        compare(f'{what}: {kind} of picture {number}', wanted, got)


def check_run(made, run):
    """One run of qtdemux: samples with their times, and what is decoded of them."""
    what, streams, fragmented = run['mode'], run['streams'], 'fragments' in run['mode']
    found = sources.tables(made.fragmented if fragmented else made.plain)
    pads = sorted(name for name in streams if name.startswith('video'))
    require(len(pads) == len(made.case.tracks()), f'{what}: pads {list(streams)}')
    for number, pad in enumerate(pads):
        check_pictures(made, what, number, found.of(b'vide')[number], streams[pad], fragmented)
    require(fragmented or abs(Fraction(run['duration'], 10 ** 9) - made.case.seconds) < TICK,
            f"{what}: the duration is {run['duration']} ns")
    track = found.of(b'soun')[0]
    wanted, got = [sample.md5 for sample in track.samples], [md5 for _, md5 in streams['audio_0']['samples']]
    end = until_qtdemux_ends(made, track, fragmented)
    tools.expect_equal(f'{what}: samples of sound', wanted if len(got) == len(wanted) else wanted[:end], got)


def qtdemux(made):
    """smilremixsrc ! qtdemux, in pull and in push mode, both layouts."""
    out = tools.run(tools.HERE / 'remix_gst.py', 'play', made.playlist, '0', FRAGMENT).decode()
    runs = [json.loads(line) for line in out.splitlines()]
    require([run['mode'] for run in runs] == ['pull', 'push', 'pull, fragments', 'push, fragments'], 'runs are missing')
    for run in runs:
        check_run(made, run)


def twice(made):
    """Two runs give the same bytes, and so do random ranges."""
    again = made.plain.with_suffix('.again')
    for path, properties in ((made.plain, ''), (made.fragmented, f'fragment-duration={FRAGMENT}')):
        remix(made.playlist, again, properties)
        require(again.read_bytes() == path.read_bytes(), f'{path.name}: a second run gives other bytes')
    again.unlink()
    tools.run(tools.HERE / 'remix_gst.py', 'ranges', made.playlist, made.plain)


JUDGES = {'tables': own_tables, 'tables of fragments': own_tables_of_fragments, 'ffmpeg': ffmpeg,
          'ffmpeg on fragments': ffmpeg_fragments, 'qtdemux by pull and by push': qtdemux, 'twice': twice}


def codecs(path):
    """As in a MIME type: the first picture's, and AAC-LC."""
    entry = sources.tables(path).of(b'vide')[0].entries[0]
    return f'{entry[4:8].decode()}.{entry[entry.index(b"avcC") + 5:][:3].hex()},mp4a.40.2'


def browser_job(name, path, mse):
    return {'name': name, 'url': f'/{path.parent.name}/{path.name}', 'path': path, 'mse': mse, 'codecs': codecs(path)}


def browse(jobs):
    """Plays all jobs in one browser; {name: report}."""
    served = [{key: job[key] for key in ('name', 'url', 'mse', 'codecs')} for job in jobs]
    files = {job['url']: ('video/mp4', job['path'].read_bytes()) for job in jobs}
    files['/jobs.json'] = ('application/json', json.dumps({'jobs': served, **BROWSER}).encode())
    files['/remix.html'] = ('text/html', (tools.HERE / 'remix.html').read_bytes())
    reports = queue.Queue()
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(chromium.Handler, files, reports))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        said = chromium.browse(f'http://127.0.0.1:{server.server_port}/remix.html', reports, BROWSER['patience'] + 60)
    finally:
        server.shutdown()
        server.server_close()
    require(isinstance(said, list), f'{said}')
    return {report['name']: report for report in said}


def check_report(case, report, fragmented):
    """Played to its end, every picture decoded."""
    require(report is not None, 'was not played')
    require(report['ended'], f"{report['error']} after {report['frames']} pictures, at {report['time']} s")
    require(abs(report['time'] - case.lasts(fragmented)) < AAC * 2, f"ends at {report['time']} s")
    wanted = case.frames(fragmented)
    require(report['frames'] >= wanted, f"{report['frames']} pictures instead of {wanted}")


def refused(refusal, folder, here):
    """An error that says what it has to, and no file, or an empty one."""
    name = re.sub(r'[^0-9A-Za-z]+', '-', refusal.name)
    playlist, out = folder / f'{name}.smil', here / f'{name}.mp4'
    playlist.write_text(refusal.document, encoding='utf-8')
    try:
        remix(playlist, out, refusal.properties)
    except Rejected as error:
        said = str(error)
    else:
        raise Rejected('exit status 0')
    for text in refusal.says:
        require(text in said, f'does not say "{text}": {said}')
    require(not out.exists() or out.stat().st_size == 0, f'a file of {out.stat().st_size} bytes')
