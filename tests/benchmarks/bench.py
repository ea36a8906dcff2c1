#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures CPU time and peak memory of encrypting and decrypting one file in
memory-backed storage, against other tools on the same file in the same run.

  bench.py [--size 1G] [--repeat 5] [--directory DIR] [--write docs/benchmarks.md]
  bench.py --check-memory [--size 256M] [--repeat 1]

Prints the median of user + system time of the whole process, as seconds and as
ratios, and the peak resident set. --check-memory runs only GStreamer's graphs.
Fails if one takes more memory than the same graph with identity, two fragments
and 16 MiB: memory may not grow with the file."""
import argparse
import dataclasses
import os
import pathlib
import platform
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests' / 'interop'))
import tools  # noqa: E402

KID = 'a7e61c373e219033c21091fa607bf3b8'
KEY = '76a6c65c5ea762046bd749a2e632ccbb'
IV = '00000000000000010000000000000000'
MIB = 1 << 20
SCHEMES = ('cenc', 'cbcs')
ALLOWANCE = 16 * MIB


@dataclasses.dataclass
class Job:
    """One measured command. own: it runs our elements; baseline: the name of
    the same graph without them."""
    name: str
    command: list
    own: bool = False
    baseline: str = ''
    seconds: list = dataclasses.field(default_factory=list)
    peak: int = 0

    @property
    def median(self):
        return statistics.median(self.seconds)


def make_source(path, size):
    """A fragmented file of about size bytes: a noisy clip in 1080p with AAC,
    25 Mbit/s, fragments of two seconds, repeated without encoding it again."""
    clip = path.with_name('clip.mp4')
    tools.ffmpeg5('-f', 'lavfi', '-i', 'testsrc2=s=1920x1080:r=25:d=8,noise=alls=20:allf=t',
                  '-f', 'lavfi', '-i', 'anoisesrc=r=48000:d=8:a=0.3', '-c:v', 'libx264', '-preset', 'ultrafast',
                  '-b:v', '25M', '-maxrate', '25M', '-bufsize', '25M', '-g', '50', '-pix_fmt', 'yuv420p',
                  '-c:a', 'aac', '-b:a', '192k', '-ac', '2', clip)
    loops = max(0, round(size / clip.stat().st_size) - 1)
    tools.ffmpeg5('-stream_loop', str(loops), '-i', clip, '-c', 'copy',
                  '-movflags', 'frag_keyframe+empty_moov+default_base_moof+global_sidx+dash', path)
    clip.unlink()


def largest_fragment(path):
    """The size of the largest moof with its mdat."""
    largest = fragment = 0
    with open(path, 'rb') as file:
        while len(header := file.read(16)) >= 8:
            size, kind = struct.unpack_from('>I4s', header)
            if size == 1:
                size = struct.unpack_from('>Q', header, 8)[0]
            fragment = size if kind == b'moof' else fragment + size
            largest = max(largest, fragment if kind == b'mdat' else 0)
            file.seek(size - len(header), os.SEEK_CUR)
    return largest


def gst(graph):
    return ['gst-launch-1.0', '-q', *graph.split()]


def gst_jobs(here):
    """GStreamer's graphs: identity, encryption, decryption on both sides."""
    source, out = here / 'source.mp4', here / 'out.mp4'
    read, write = f'filesrc location={source} blocksize=65536', f'filesink location={out}'
    jobs = [Job('gst identity', gst(f'{read} ! identity ! {write}')),
            Job('gst qtdemux', gst(f'filesrc location={source} ! qtdemux name=d d.video_0 ! queue ! '
                                   'fakesink d.audio_0 ! queue ! fakesink'))]
    for scheme in SCHEMES:
        jobs.append(Job(f'cencencrypt {scheme}', gst(
            f'{read} ! cencencrypt scheme={scheme} key-id={KID} key={KEY} ! {write}'), True, 'gst identity'))
    for scheme in SCHEMES:
        protected = here / f'{scheme}.mp4'
        keys = f'keys={KID}:{KEY}'
        jobs.append(Job(f'cencdecrypt {scheme}, in front', gst(
            f'filesrc location={protected} blocksize=65536 ! cencdecrypt {keys} ! {write}'), True, 'gst identity'))
        jobs.append(Job(f'cencdecrypt {scheme}, behind', gst(
            f'filesrc location={protected} ! qtdemux name=d d.video_0 ! queue ! cencdecrypt {keys} ! fakesink '
            f'd.audio_0 ! queue ! cencdecrypt {keys} ! fakesink'), True, 'gst qtdemux'))
    return jobs


def packager_job(name, here, source, *options):
    return Job(name, [str(tools.PACKAGER), '--quiet',
                      f'in={source},stream=video,output={here}/out-video.mp4',
                      f'in={source},stream=audio,output={here}/out-audio.mp4', *options])


def other_jobs(here):
    """What others need for the same file."""
    source, out = str(here / 'source.mp4'), str(here / 'out.mp4')
    ffmpeg = ['ffmpeg', '-v', 'error', '-nostdin', '-y']
    keys = f'label=:key_id={KID}:key={KEY}'
    jobs = [Job('cp', ['cp', source, out]),
            Job('openssl enc -aes-128-ctr', ['openssl', 'enc', '-aes-128-ctr', '-K', KEY, '-iv', IV,
                                             '-in', source, '-out', out]),
            Job('ffmpeg -c copy', [*ffmpeg, '-i', source, '-c', 'copy', out])]
    for scheme in SCHEMES:
        jobs.append(packager_job(f'shaka-packager encrypts {scheme}', here, source, '--clear_lead', '0',
                                 '--enable_raw_key_encryption', '--keys', keys, '--protection_scheme', scheme))
    for scheme in SCHEMES:
        protected = here / f'{scheme}.mp4'
        jobs.append(packager_job(f'shaka-packager decrypts {scheme}', here, protected,
                                 '--enable_raw_key_decryption', '--keys', keys))
        jobs.append(Job(f'ffmpeg decrypts {scheme}',
                        [*ffmpeg, '-decryption_key', KEY, '-i', str(protected), '-c', 'copy', out]))
    return jobs


def measure(job, here):
    """Runs a job once, from no output to output; CPU of the whole process."""
    for path in here.glob('out*'):
        path.unlink()
    child = subprocess.Popen(job.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)
    message = child.stderr.read().decode(errors='replace')
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f'{job.name} exits with {child.returncode}: {message[-600:]}')
    job.seconds.append(usage.ru_utime + usage.ru_stime)
    job.peak = max(job.peak, usage.ru_maxrss * 1024)


def table(jobs):
    """Markdown: seconds, ratios and memory."""
    by_name = {job.name: job for job in jobs}
    bases = [name for name in ('cp', 'openssl enc -aes-128-ctr', 'ffmpeg -c copy', 'gst identity')
             if name in by_name]
    lines = ['| | CPU s | ' + ' | '.join(f'× {name}' for name in bases) + ' | peak MiB |',
             '|---|' + '--:|' * (len(bases) + 2)]
    for job in jobs:
        ratios = ' | '.join(f'{job.median / by_name[name].median:.2f}' for name in bases)
        name = f'**{job.name}**' if job.own else job.name
        lines.append(f'| {name} | {job.median:.2f} | {ratios} | {job.peak / MIB:.0f} |')
    return '\n'.join(lines)


def memory_failures(jobs, fragment):
    """Prints each of our graphs' peak and limit; those over it."""
    peaks = {job.name: job.peak for job in jobs}
    failures = []
    for job in filter(lambda job: job.own, jobs):
        limit = peaks[job.baseline] + 2 * fragment + ALLOWANCE
        verdict = 'ok' if job.peak <= limit else 'TOO MUCH'
        line = f'{job.name}: {job.peak / MIB:.1f} MiB of {limit / MIB:.1f} MiB: {verdict}'
        print(line)
        if job.peak > limit:
            failures.append(line)
    return failures


def describe(source, fragment, repeat):
    cpu = next((line.split(':')[1].strip() for line in open('/proc/cpuinfo', encoding='utf-8')
                if line.startswith('model name')), platform.machine())
    return (f'One file of {source.stat().st_size / MIB:.0f} MiB (H.264 and AAC, largest fragment '
            f'{fragment / MIB:.1f} MiB) in memory-backed storage; user + system time of the whole process, '
            f'median of {repeat}; {cpu}.')


def bytes_of(text):
    units = {'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text)


def storage(size):
    """Memory-backed, if what the largest run needs fits in."""
    if os.path.isdir('/dev/shm') and shutil.disk_usage('/dev/shm').free > 5 * size:
        return '/dev/shm'
    print('not enough room in /dev/shm: on a disk', file=sys.stderr)
    return None


def write_page(path, text):
    """Puts text below the page's marker, and leaves what stands above it."""
    marker = '<!-- bench.py writes below this line -->\n'
    page = pathlib.Path(path)
    before = page.read_text(encoding='utf-8').split(marker)[0] if page.exists() else '# Benchmarks\n\n'
    page.write_text(f'{before}{marker}\n{text}\n', encoding='utf-8')


def run(args, here):
    source = here / 'source.mp4'
    make_source(source, args.size)
    fragment = largest_fragment(source)
    for scheme in SCHEMES:
        tools.gst(f'filesrc location={source} blocksize=65536 ! cencencrypt scheme={scheme} key-id={KID} '
                  f'key={KEY} ! filesink location={here / scheme}.mp4')
    jobs = gst_jobs(here)
    if not args.check_memory:
        jobs = other_jobs(here) + jobs
    for _ in range(args.repeat):
        for job in jobs:
            measure(job, here)
    text = f'{describe(source, fragment, args.repeat)}\n\n{table(jobs)}'
    print(text, '\n')
    if args.write:
        write_page(args.write, text)
    return memory_failures(jobs, fragment)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--size', type=bytes_of, default=1 << 30)
    parser.add_argument('--repeat', type=int, default=5)
    parser.add_argument('--directory')
    parser.add_argument('--write', metavar='PAGE')
    parser.add_argument('--check-memory', action='store_true')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.directory or storage(args.size)) as directory:
        failures = run(args, pathlib.Path(directory))
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    main()
