#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures smilremixsrc in memory-backed storage against others on the same job:
reading a title, and writing it, against cat of its sources to the same place and
against ffmpeg's and GStreamer's concat, whose errors are printed beside; the first
byte of a playlist of 1,000 clips; the memory that ten million samples take.

  remix.py [--size 1G] [--repeat 5] [--write docs/benchmarks-remix.md]

User and system time of whole processes, the least of all runs; peak resident set.
Fails if memory is over its bound, 32 MiB and 100 bytes a sample."""
import argparse
import concurrent.futures
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from fractions import Fraction

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests' / 'interop'), str(ROOT / 'tests' / 'benchmarks')]
import bench  # noqa: E402
import remix_tables  # noqa: E402
import tools  # noqa: E402

CLIPS, SOURCES = 1000, 20
RATE, FRAME = 48000, 1024  # of sound
# A source lasts no whole number of frames of sound: what is stitched carelessly drifts.
PICTURES = 201
SECONDS = Fraction(PICTURES, 25)
MAX_CONCAT = 20  # of GStreamer's: a thread and a demuxer each
BOUND, BOUND_PER_SAMPLE = 32 * bench.MIB, 100
# Of the title of many samples: clips, and their seconds and pictures a second.
MANY_CLIPS, MANY_SECONDS, MANY_PICTURES = 5150, 20, 50
MANY_SAMPLES = MANY_CLIPS * MANY_SECONDS * (MANY_PICTURES * FRAME + RATE) // FRAME
READ, WRITTEN = 'cat of the sources, read', 'cat of the sources, written'


def make_sources(here, size):
    """Clips of 8.04 s at 25 Mbit/s, repeated to about size bytes in all."""
    tools.ffmpeg5('-f', 'lavfi', '-i', f'testsrc2=s=1920x1080:r=25:d={float(SECONDS)},noise=alls=20:allf=t', '-f', 'lavfi',
                  '-i', f'anoisesrc=r={RATE}:d={float(SECONDS)}:a=0.3', '-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '25M',
                  '-g', '50', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-ac', '2', here / '0.mp4')
    count = max(2, round(size / (here / '0.mp4').stat().st_size))
    for number in range(1, count):
        shutil.copyfile(here / '0.mp4', here / f'{number}.mp4')
    return [here / f'{number}.mp4' for number in range(count)]


def playlist(path, names):
    path.write_text('<smil><body>' + ''.join(f'<video src="{name}"/>' for name in names) + '</body></smil>')
    return f'smilremixsrc location={path}'


def concat_graph(sources, out):
    """concat, an instance a kind, in front of mp4mux."""
    graph = ('concat name=v ! h264parse ! queue ! mux. concat name=a ! aacparse ! queue ! mux. mp4mux name=mux ! '
             f'filesink location={out}')
    for n, path in enumerate(sources):
        graph += (f' filesrc location={path} ! qtdemux name=d{n} d{n}.video_0 ! queue max-size-time=0 ! v.'
                  f' d{n}.audio_0 ! queue max-size-time=0 ! a.')
    return graph


def jobs(here, sources):
    """Pairs of a job and the one it is compared with; both end at the same place."""
    title = playlist(here / 'title.smil', [path.name for path in sources])
    (here / 'list.txt').write_text(''.join(f"file '{path}'\n" for path in sources))
    names = ' '.join(map(str, sources))
    with open(here / 'whole', 'wb') as whole:
        subprocess.run(['cat', *sources], stdout=whole, check=True)
    filesrc = f'filesrc location={here}/whole blocksize=1048576'
    Job = bench.Job
    return [(Job(READ, ['sh', '-c', f'exec cat {names} >/dev/null']), READ),
            (Job('filesrc, as many bytes in one file, read', bench.gst(f'{filesrc} ! fakesink')), READ),
            (Job('**smilremixsrc, read**', bench.gst(f'{title} ! fakesink'), True), READ),
            (Job('**smilremixsrc, fragments of 2 s, read**',
                 bench.gst(f'{title} fragment-duration=2000 ! fakesink'), True), READ),
            (Job('filesrc, its first buffer', bench.gst(f'{filesrc} num-buffers=1 ! fakesink')), READ),
            (Job('**smilremixsrc, its first buffer**', bench.gst(f'{title} num-buffers=1 ! fakesink'), True), READ),
            (Job(WRITTEN, ['sh', '-c', f'exec cat {names} >{here}/out-cat']), WRITTEN),
            (Job('filesrc, as many bytes in one file, written',
                 bench.gst(f'{filesrc} ! filesink location={here}/out-file')), WRITTEN),
            (Job('**smilremixsrc, written**', bench.gst(f'{title} ! filesink location={here}/out-remix.mp4'), True),
             WRITTEN),
            (Job('ffmpeg -f concat -c copy', ['ffmpeg', '-v', 'error', '-nostdin', '-y', '-f', 'concat', '-safe', '0',
                                              '-i', str(here / 'list.txt'), '-c', 'copy', str(here / 'out-ffmpeg.mp4')]),
             WRITTEN),
            (Job('gst concat ! mp4mux', bench.gst(concat_graph(sources[:MAX_CONCAT], here / 'out-concat.mp4'))),
             WRITTEN)]


def many_clips(here):
    """1,000 clips over 20 sources: until the first buffer, then the process ends."""
    names = [f'{n % SOURCES}.small.mp4' for n in range(CLIPS)]
    for name in set(names):
        tools.ffmpeg5('-i', here / '0.mp4', '-t', '2', '-c', 'copy', here / name)
    return f"{playlist(here / 'many.smil', names)} num-buffers=1"


def many_samples(here):
    """Ten million samples of two sources' worth of bytes; the whole title is read."""
    tools.ffmpeg5('-f', 'lavfi', '-i', f'testsrc2=s=64x64:r={MANY_PICTURES}:d={MANY_SECONDS}', '-f', 'lavfi', '-i',
                  f'sine=r={RATE}:d={MANY_SECONDS}', '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '51', '-g', '100',
                  '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '16k', here / 'tiny.mp4')
    return playlist(here / 'samples.smil', ['tiny.mp4'] * MANY_CLIPS)


def first_byte(graph):
    """Seconds from the start of the process to its first byte, by the clock."""
    start = time.monotonic()
    with subprocess.Popen(bench.gst(f'{graph} ! fdsink'), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        if not child.stdout.read(1):
            sys.exit(f'no byte of {graph}')
        seconds = time.monotonic() - start
        while child.stdout.read(1 << 20):
            pass
    return seconds


def errors(path, clips):
    """What is wrong with a title: pictures too many or too few, how far its end is
    from where it belongs, and how far sound ends from the picture."""
    found = remix_tables.Tables(path)
    video, sound = found.of(b'vide')[0], found.of(b'soun')[0]
    ends = [max(t.time(s) + s.duration / t.timescale for s in t.samples) for t in (video, sound)]
    return (f'{len(video.samples) - clips * PICTURES:+d} pictures, {float(ends[0] - clips * SECONDS) * 1000:+.0f} ms '
            f'of picture, sound ends {float(ends[1] - ends[0]) * 1000:+.1f} ms from it')


def errors_apart(path, clips):
    """In a process of its own: what is measured starts with the memory of ours."""
    if path is None:
        return ''
    with concurrent.futures.ProcessPoolExecutor(max_workers=1) as pool:
        return pool.submit(errors, path, clips).result()


def row(job, base, error=''):
    ratio = f'{min(job.seconds) / min(base.seconds):.2f}' if base else ''
    return f'| {job.name} | {min(job.seconds):.3f} | {ratio} | {job.peak / bench.MIB:.0f} | {error} |'


def compare(here, sources, repeat):
    """The table of what reads and writes the title."""
    pairs = jobs(here, sources)
    by_name = {job.name: job for job, _ in pairs}
    wrong = {}
    for _ in range(repeat):
        for job, _ in pairs:
            bench.measure(job, here)
            if job.name not in wrong:
                clips = min(len(sources), MAX_CONCAT) if 'concat !' in job.name else len(sources)
                wrong[job.name] = errors_apart(next(here.glob('out-*.mp4'), None), clips)
    for path in [*here.glob('out-*'), here / 'whole']:
        path.unlink(missing_ok=True)
    total = sum(path.stat().st_size for path in sources)
    bytes_alone = [min(by_name[name].seconds) for name in ('**smilremixsrc, read**', '**smilremixsrc, its first buffer**')]
    return [f'{len(sources)} sources, {total / bench.MIB:.0f} MiB; the least of {repeat} runs.', '',
            '| | CPU s | × cat to the same place | peak MiB | errors |', '|---|--:|--:|--:|---|',
            *(row(job, by_name[base], wrong[job.name]) for job, base in pairs), '',
            'Without what is spent until the first buffer, smilremixsrc reads at '
            f'{(bytes_alone[0] - bytes_alone[1]) / min(by_name[READ].seconds):.2f} × cat.']


def limits(here, repeat):
    """The first byte of many clips, the memory of many samples; and whether that is too much."""
    clips, samples = many_clips(here), many_samples(here)
    byte = bench.Job(f'{CLIPS:,} clips over {SOURCES} sources, first buffer', bench.gst(f'{clips} ! fakesink'), True)
    start = bench.Job('filesrc, its first buffer', bench.gst(f"filesrc location={here / '0.mp4'} num-buffers=1 ! fakesink"))
    read = bench.Job(f'{MANY_SAMPLES:,} samples, read', bench.gst(f'{samples} ! fakesink'), True)
    for _ in range(repeat):
        bench.measure(byte, here)
        bench.measure(start, here)
    for _ in range(min(repeat, 2)):
        bench.measure(read, here)
    clock = min(first_byte(clips) for _ in range(4 * repeat))
    bound = BOUND + BOUND_PER_SAMPLE * MANY_SAMPLES
    lines = ['| | CPU s | peak MiB | |', '|---|--:|--:|---|',
             f'| **{byte.name}** | {min(byte.seconds):.3f} | {byte.peak / bench.MIB:.0f} | its first byte after '
             f'{clock * 1000:.0f} ms by the clock |',
             f'| {start.name} | {min(start.seconds):.3f} | {start.peak / bench.MIB:.0f} | of that, GStreamer itself |',
             f'| **{read.name}** | {min(read.seconds):.3f} | {read.peak / bench.MIB:.0f} | '
             f'{(read.peak - start.peak) / MANY_SAMPLES:.0f} bytes a sample; the bound is {bound / bench.MIB:.0f} MiB |']
    return lines, read.peak <= bound


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--size', type=bench.bytes_of, default=1 << 30)
    parser.add_argument('--repeat', type=int, default=5)
    parser.add_argument('--write', metavar='PAGE')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=bench.storage(args.size)) as name:
        here = pathlib.Path(name)
        bench.use_own_registry(here)
        lines = compare(here, make_sources(here, args.size), args.repeat)
        more, bounded = limits(here, args.repeat)
    text = '\n'.join([*lines, '', *more])
    print(text)
    if args.write:
        bench.write_page(args.write, text)
    return 0 if bounded else f'memory is over {BOUND / bench.MIB:.0f} MiB and {BOUND_PER_SAMPLE} bytes a sample'


if __name__ == '__main__':
    sys.exit(main())
