#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures CPU time and peak memory of encrypting and decrypting one file in
memory-backed storage, against other tools on the same file in the same run.

  bench.py [--size 1G] [--repeat 5] [--directory DIR] [--write docs/benchmarks.md]
  bench.py --check-memory [--size 256M] [--repeat 1]
  bench.py --small [--size 1G] [--repeat 5]
  bench.py --long 10G [--directory DIR]
  bench.py --behind [--size 256M] [--repeat 5]

Prints the median of user + system time of the whole process, as seconds and as
ratios, and the peak resident set: for a file of 25 Mbit/s, and for one of small
samples, of whose bytes four are pictures to one of sound (20 kB/s).
--small measures only the latter, and prints minima: what others do on the machine
adds to a process' time.
--check-memory runs only GStreamer's graphs. Fails if one takes more memory than
the same graph with identity, two fragments and 16 MiB, or for a progressive file
64 MiB: memory may not grow with the file. --long encrypts a progressive file of
that size to nowhere and looks at nothing but memory. --behind measures what
decrypting behind qtdemux costs, apart from what qtdemux does, with and without a
decoder: minima of all runs."""
import argparse
import dataclasses
import operator
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
PROGRESSIVE_ALLOWANCE = 64 * MIB
FRAGMENTED = 'frag_keyframe+empty_moov+default_base_moof+global_sidx+dash'
# Pictures: size and bit rate; sound: bit rate.
LARGE = ('1920x1080', '25M', '192k')
SMALL = ('640x360', '640k', '160k')


@dataclasses.dataclass
class Job:
    """One measured command. own: it runs our elements; baseline: the name of
    the same graph without them; progressive: what it may take beside that graph
    does not depend on fragments."""
    name: str
    command: list
    own: bool = False
    baseline: str = ''
    progressive: bool = False
    seconds: list = dataclasses.field(default_factory=list)
    peak: int = 0

    @property
    def median(self):
        return statistics.median(self.seconds)

    @property
    def least(self):
        return min(self.seconds)


def make_source(path, size, content=LARGE, flags=FRAGMENTED):
    """A file of about size bytes: a noisy clip with AAC, in fragments of two
    seconds or progressive, repeated without encoding it again."""
    clip = path.with_name('clip.mp4')
    picture, rate, sound = content
    tools.ffmpeg5('-f', 'lavfi', '-i', f'testsrc2=s={picture}:r=25:d=8,noise=alls=20:allf=t',
                  '-f', 'lavfi', '-i', 'anoisesrc=r=48000:d=8:a=0.3', '-c:v', 'libx264', '-preset', 'ultrafast',
                  '-b:v', rate, '-maxrate', rate, '-bufsize', rate, '-g', '50', '-pix_fmt', 'yuv420p',
                  '-c:a', 'aac', '-b:a', sound, '-ac', '2', clip)
    loops = max(0, round(size / clip.stat().st_size) - 1)
    tools.ffmpeg5('-stream_loop', str(loops), '-i', clip, '-c', 'copy', '-movflags', flags, path)
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


def encrypt_jobs(source, out, name, progressive):
    return [Job(f'cencencrypt {scheme}{name}', gst(
        f'filesrc location={source} blocksize=65536 ! cencencrypt scheme={scheme} key-id={KID} key={KEY} ! {out}'),
                True, 'gst identity', progressive) for scheme in SCHEMES]


def identity_job(source, out):
    return Job('gst identity', gst(f'filesrc location={source} blocksize=65536 ! identity ! {out}'))


def gst_jobs(here):
    """GStreamer's graphs: identity, encryption, decryption on both sides."""
    source, out = here / 'source.mp4', here / 'out.mp4'
    write = f'filesink location={out}'
    jobs = [identity_job(source, write),
            Job('gst qtdemux', gst(f'filesrc location={source} ! qtdemux name=d d.video_0 ! queue ! '
                                   'fakesink d.audio_0 ! queue ! fakesink'))]
    jobs += encrypt_jobs(source, write, '', False)
    jobs += encrypt_jobs(here / 'progressive.mp4', write, ', progressive', True)
    for scheme in SCHEMES:
        protected = here / f'{scheme}.mp4'
        keys = f'keys={KID}:{KEY}'
        jobs.append(Job(f'cencdecrypt {scheme}, in front', gst(
            f'filesrc location={protected} blocksize=65536 ! cencdecrypt {keys} ! {write}'), True, 'gst identity'))
        jobs.append(Job(f'cencdecrypt {scheme}, behind', gst(
            f'filesrc location={protected} ! qtdemux name=d d.video_0 ! queue ! cencdecrypt {keys} ! fakesink '
            f'd.audio_0 ! queue ! cencdecrypt {keys} ! fakesink'), True, 'gst qtdemux'))
    return jobs


def small_jobs(here):
    """Encrypting a file of small samples, fragmented and progressive, with the moov last and first."""
    source, out = here / 'small.mp4', here / 'out.mp4'
    write = f'filesink location={out}'
    return [*copy_jobs(source, out), identity_job(source, write), *encrypt_jobs(source, write, '', False),
            *encrypt_jobs(here / 'small-progressive.mp4', write, ', progressive', True),
            *encrypt_jobs(here / 'small-first.mp4', write, ', progressive, moov first', True)]


def packager_job(name, here, source, *options):
    return Job(name, [str(tools.PACKAGER), '--quiet',
                      f'in={source},stream=video,output={here}/out-video.mp4',
                      f'in={source},stream=audio,output={here}/out-audio.mp4', *options])


def copy_jobs(source, out):
    """What reads a file and writes it, or little more."""
    return [Job('cp', ['cp', str(source), str(out)]),
            Job('openssl enc -aes-128-ctr', ['openssl', 'enc', '-aes-128-ctr', '-K', KEY, '-iv', IV,
                                             '-in', str(source), '-out', str(out)]),
            Job('ffmpeg -c copy', ['ffmpeg', '-v', 'error', '-nostdin', '-y', '-i', str(source), '-c', 'copy',
                                   str(out)])]


def other_jobs(here):
    """What others need for the same file."""
    source, out = str(here / 'source.mp4'), str(here / 'out.mp4')
    ffmpeg = ['ffmpeg', '-v', 'error', '-nostdin', '-y']
    keys = f'label=:key_id={KID}:key={KEY}'
    jobs = copy_jobs(source, out)
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


def table(jobs, figure='median'):
    """Markdown: seconds, ratios and memory."""
    seconds = operator.attrgetter(figure)
    by_name = {job.name: job for job in jobs}
    bases = [name for name in ('cp', 'openssl enc -aes-128-ctr', 'ffmpeg -c copy', 'gst identity')
             if name in by_name]
    lines = ['| | CPU s | ' + ' | '.join(f'× {name}' for name in bases) + ' | peak MiB |',
             '|---|' + '--:|' * (len(bases) + 2)]
    for job in jobs:
        ratios = ' | '.join(f'{seconds(job) / seconds(by_name[name]):.2f}' for name in bases)
        name = f'**{job.name}**' if job.own else job.name
        lines.append(f'| {name} | {seconds(job):.2f} | {ratios} | {job.peak / MIB:.0f} |')
    return '\n'.join(lines)


def memory_failures(jobs, fragment):
    """Prints each of our graphs' peak and limit; those over it."""
    peaks = {job.name: job.peak for job in jobs}
    failures = []
    for job in filter(lambda job: job.own, jobs):
        limit = peaks[job.baseline] + (PROGRESSIVE_ALLOWANCE if job.progressive else 2 * fragment + ALLOWANCE)
        verdict = 'ok' if job.peak <= limit else 'TOO MUCH'
        line = f'{job.name}: {job.peak / MIB:.1f} MiB of {limit / MIB:.1f} MiB: {verdict}'
        print(line)
        if job.peak > limit:
            failures.append(line)
    return failures


def behind_graph(path, decrypt, decode):
    """qtdemux's pads, each to a queue, cencdecrypt if asked for, a decoder if asked for, and nowhere."""
    decryptor = f'cencdecrypt keys={KID}:{KEY} ! ' if decrypt else ''
    video, audio = ('h264parse ! avdec_h264 ! ', 'aacparse ! avdec_aac ! ') if decode else ('', '')
    return gst(f'filesrc location={path} ! qtdemux name=d d.video_0 ! queue ! {decryptor}{video}fakesink '
               f'd.audio_0 ! queue ! {decryptor}{audio}fakesink')


def cipher_rate():
    """Bytes that AES-128-CTR takes a second of CPU time, in blocks that fit the cache."""
    speed = subprocess.run(['openssl', 'speed', '-mr', '-evp', 'aes-128-ctr', '-bytes', '16384',
                            '-seconds', '1'], capture_output=True, text=True, check=True)
    return max(float(line.split(':')[-1]) for line in speed.stdout.splitlines() if line.startswith('+F:'))


def run_behind(args, here):
    """Prints what decrypting behind qtdemux adds, beside what qtdemux adds itself."""
    source, short = here / 'source.mp4', here / 'short.mp4'
    make_source(source, args.size)
    make_source(short, min(args.size, 48 * MIB))
    jobs = [Job('clear', behind_graph(source, False, False))]
    decoding = [Job('clear, decoded', behind_graph(short, False, True))]
    for scheme in SCHEMES:
        for path in (source, short):
            tools.gst(f'filesrc location={path} blocksize=65536 ! cencencrypt scheme={scheme} key-id={KID} '
                      f'key={KEY} ! filesink location={path.with_suffix("." + scheme)}')
        protected = source.with_suffix('.' + scheme)
        jobs += [Job(f'{scheme}, not decrypted', behind_graph(protected, False, False)),
                 Job(f'{scheme}, decrypted', behind_graph(protected, True, False))]
        decoding.append(Job(f'{scheme}, decoded', behind_graph(short.with_suffix('.' + scheme), True, True)))
    rates = []
    for _ in range(args.repeat):
        rates.append(cipher_rate())
        for job in jobs + decoding:
            measure(job, here)
    print('| filesrc ! qtdemux ! … | CPU s | × clear |\n|---|--:|--:|')
    for group in (jobs, decoding):
        clear = min(group[0].seconds)
        for job in group:
            print(f'| {job.name} | {min(job.seconds):.3f} | {min(job.seconds) / clear:.2f} |')
    print(f'| AES-128-CTR alone on as many bytes | {source.stat().st_size / max(rates):.3f} | '
          f'{source.stat().st_size / max(rates) / min(jobs[0].seconds):.2f} |')
    return []


def describe(source, fragment, repeat):
    cpu = next((line.split(':')[1].strip() for line in open('/proc/cpuinfo', encoding='utf-8')
                if line.startswith('model name')), platform.machine())
    return (f'One file of {source.stat().st_size / MIB:.0f} MiB (H.264 and AAC, largest fragment '
            f'{fragment / MIB:.1f} MiB) in memory-backed storage; user + system time of the whole process, '
            f'median of {repeat}; {cpu}. Progressive: the same samples with one moov behind them.')


def bytes_of(text):
    units = {'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text)


def storage(size):
    """Memory-backed, if what the largest run needs fits in."""
    if os.path.isdir('/dev/shm') and shutil.disk_usage('/dev/shm').free > 7 * size:
        return '/dev/shm'
    print('not enough room in /dev/shm: on a disk', file=sys.stderr)
    return None


def write_page(path, text):
    """Puts text below the page's marker, and leaves what stands above it."""
    marker = '<!-- bench.py writes below this line -->\n'
    page = pathlib.Path(path)
    before = page.read_text(encoding='utf-8').split(marker)[0] if page.exists() else '# Benchmarks\n\n'
    page.write_text(f'{before}{marker}\n{text}\n', encoding='utf-8')


def measure_all(jobs, here, repeat):
    for _ in range(repeat):
        for job in jobs:
            measure(job, here)


def run_small(args, here):
    """The table of small samples, and what took too much memory."""
    for path in here.glob('*.mp4'):
        path.unlink()
    source = here / 'small.mp4'
    make_source(source, args.size, SMALL)
    make_source(here / 'small-progressive.mp4', args.size, SMALL, '0')
    make_source(here / 'small-first.mp4', args.size, SMALL, 'faststart')
    jobs = small_jobs(here)
    measure_all(jobs, here, args.repeat)
    text = (f'Small samples: {source.stat().st_size / MIB:.0f} MiB, pictures of 80 kB/s and sound of 20 kB/s, '
            f'both without fragments where it says progressive; minima of {args.repeat}.\n\n'
            f'{table(jobs, "least")}')
    print(text, '\n')
    return text, memory_failures(jobs, largest_fragment(source))


def run_long(args, here):
    """The memory that a long progressive file takes; nothing is written."""
    source = here / 'progressive.mp4'
    make_source(source, args.long, LARGE, '0')
    jobs = [identity_job(source, 'fakesink'), *encrypt_jobs(source, 'fakesink', ', progressive', True)]
    measure_all(jobs, here, 1)
    return memory_failures(jobs, 0)


def run(args, here):
    if args.behind:
        return run_behind(args, here)
    source = here / 'source.mp4'
    make_source(source, args.size)
    make_source(here / 'progressive.mp4', args.size, LARGE, '0')
    fragment = largest_fragment(source)
    for scheme in SCHEMES:
        tools.gst(f'filesrc location={source} blocksize=65536 ! cencencrypt scheme={scheme} key-id={KID} '
                  f'key={KEY} ! filesink location={here / scheme}.mp4')
    jobs = gst_jobs(here)
    if not args.check_memory:
        jobs = other_jobs(here) + jobs
    measure_all(jobs, here, args.repeat)
    text = f'{describe(source, fragment, args.repeat)}\n\n{table(jobs)}'
    print(text, '\n')
    failures = memory_failures(jobs, fragment)
    if not args.check_memory:
        small, more = run_small(args, here)
        text, failures = f'{text}\n\n{small}', failures + more
    if args.write:
        write_page(args.write, text)
    return failures


def use_own_registry(here):
    """Where several builds share a registry each start scans all plugins anew, and the
    first start that finds none would be measured with the scan."""
    os.environ['GST_REGISTRY'] = str(here / 'registry.bin')
    os.environ.pop('GST_REGISTRY_1_0', None)
    tools.run('gst-inspect-1.0', 'fakesink')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--size', type=bytes_of, default=1 << 30)
    parser.add_argument('--repeat', type=int, default=5)
    parser.add_argument('--directory')
    parser.add_argument('--write', metavar='PAGE')
    parser.add_argument('--check-memory', action='store_true')
    parser.add_argument('--long', type=bytes_of, metavar='SIZE')
    parser.add_argument('--behind', action='store_true')
    parser.add_argument('--small', action='store_true')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.directory or storage(args.size)) as directory:
        here = pathlib.Path(directory)
        use_own_registry(here)
        if args.small:
            failures = run_small(args, here)[1]
        else:
            failures = (run_long if args.long else run)(args, here)
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    main()
