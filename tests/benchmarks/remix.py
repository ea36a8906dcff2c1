#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures smilremixsrc in memory-backed storage against others on the same job:
reading a title against cat of its sources, writing it against ffmpeg's and
GStreamer's concat, whose errors are printed beside, and a playlist of 1,000 clips.

  remix.py [--size 1G] [--repeat 5] [--write docs/benchmarks-remix.md]

User and system time of whole processes, the least of all runs; peak resident set."""
import argparse
import concurrent.futures
import pathlib
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests' / 'interop'), str(ROOT / 'tests' / 'benchmarks')]
import bench  # noqa: E402
import remix_tables  # noqa: E402
import tools  # noqa: E402

CLIPS, SOURCES, SECONDS = 1000, 20, 8
MAX_CONCAT = 20  # of GStreamer's: a thread and a demuxer each


def make_sources(here, size):
    """Clips of 8 s at 25 Mbit/s, repeated to about size bytes in all."""
    tools.ffmpeg5('-f', 'lavfi', '-i', f'testsrc2=s=1920x1080:r=25:d={SECONDS},noise=alls=20:allf=t', '-f', 'lavfi',
                  '-i', f'anoisesrc=r=48000:d={SECONDS}:a=0.3', '-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '25M',
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
    title = playlist(here / 'title.smil', [path.name for path in sources])
    (here / 'list.txt').write_text(''.join(f"file '{path}'\n" for path in sources))
    names = ' '.join(map(str, sources))
    Job = bench.Job
    return [Job('cat of the sources, read', ['sh', '-c', f'cat {names} >/dev/null']),
            Job('**smilremixsrc, read**', bench.gst(f'{title} ! fakesink'), True),
            Job('cat of the sources, written', ['sh', '-c', f'cat {names} >{here}/out-cat']),
            Job('**smilremixsrc, written**', bench.gst(f'{title} ! filesink location={here}/out-remix.mp4'), True),
            Job('ffmpeg -f concat -c copy', ['ffmpeg', '-v', 'error', '-nostdin', '-y', '-f', 'concat', '-safe', '0', '-i',
                                             str(here / 'list.txt'), '-c', 'copy', str(here / 'out-ffmpeg.mp4')]),
            Job('gst concat ! mp4mux', bench.gst(concat_graph(sources[:MAX_CONCAT], here / 'out-concat.mp4')))]


def first_byte(here):
    """1,000 clips over 20 sources: until the first buffer, then the process ends."""
    names = [f'{n % SOURCES}.small.mp4' for n in range(CLIPS)]
    for name in set(names):
        tools.ffmpeg5('-i', here / '0.mp4', '-t', '2', '-c', 'copy', here / name)
    return bench.Job('**1,000 clips over 20 sources, first byte**',
                     bench.gst(f"{playlist(here / 'many.smil', names)} num-buffers=1 ! fakesink"), True)


def errors(path, clips):
    """What is wrong with a title: pictures too many or too few, and how far sound
    ends from the picture."""
    found = remix_tables.Tables(path)
    video, sound = found.of(b'vide')[0], found.of(b'soun')[0]
    ends = [max(t.time(s) + s.duration / t.timescale for s in t.samples) for t in (video, sound)]
    return (f'{len(video.samples) - clips * SECONDS * 25:+d} pictures, sound ends '
            f'{float(ends[1] - ends[0]) * 1000:+.1f} ms from the picture')


def errors_apart(path, clips):
    """In a process of its own: what is measured starts with the memory of ours."""
    if path is None:
        return ''
    with concurrent.futures.ProcessPoolExecutor(max_workers=1) as pool:
        return pool.submit(errors, path, clips).result()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--size', type=bench.bytes_of, default=1 << 30)
    parser.add_argument('--repeat', type=int, default=5)
    parser.add_argument('--write', metavar='PAGE')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=bench.storage(args.size)) as name:
        here = pathlib.Path(name)
        sources = make_sources(here, args.size)
        todo = jobs(here, sources) + [first_byte(here)]
        wrong = {}
        for _ in range(args.repeat):
            for job in todo:
                bench.measure(job, here)
                if job.name not in wrong:
                    clips = min(len(sources), MAX_CONCAT) if 'concat !' in job.name else len(sources)
                    wrong[job.name] = errors_apart(next(here.glob('out-*.mp4'), None), clips)
        total = sum(path.stat().st_size for path in sources)
        lines = [f'{len(sources)} sources, {total / bench.MIB:.0f} MiB; the least of {args.repeat} runs.', '',
                 '| | CPU s | × cat, read | peak MiB | errors |', '|---|--:|--:|--:|---|']
        base = min(todo[0].seconds)
        for job in todo:
            lines.append(f'| {job.name} | {min(job.seconds):.2f} | {min(job.seconds) / base:.2f} | '
                         f'{job.peak / bench.MIB:.0f} | {wrong[job.name]} |')
        print('\n'.join(lines))
        if args.write:
            bench.write_page(args.write, '\n'.join(lines))


if __name__ == '__main__':
    main()
