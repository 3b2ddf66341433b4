"""The checks, one row each, in the order of `docs/reliability.md`."""

from __future__ import annotations

from tools.checks.check import Check

CHECKS = (
    Check(
        "kills",
        "Training that is killed at any moment leaves a readable folder, and the same command ends with the same "
        "result, to the bit: weights, optimizer, random states and metrics. Folders of the user beside it stay.",
        held="identical",
        full=50,
    ),
    Check(
        "signals",
        "SIGTERM, SIGINT and SIGUSR1 stop training within one update and one save, with exit status 128 + signal "
        "number, and the same command ends with the same result, to the bit. SIGTERM and SIGHUP end a translation with "
        "that status; the file that it would have replaced stays, and nothing is left.",
        held="stopped as documented and came to the same end",
        full=30,
    ),
    Check(
        "damage",
        "A damaged checkpoint or export is never used: the same command reports it in one line, falls back to the "
        "previous checkpoint or to torch, and ends with the same result.",
        held="fell back and came to the same end",
        full=200,
    ),
    Check(
        "full",
        "A full disk or a read-only folder stops training, translating, exporting, evaluating and reporting with an "
        "error that names the path. Existing files stay intact, and training continues to the same result once there "
        "is space.",
        held="stopped, named the path and kept what was there",
        full=24,
    ),
    Check(
        "seeds",
        "The same seed gives the same run, to the bit, in every new process and with 0, 1, 2 and 4 loaders: weights, "
        "optimizer and metrics.",
        held="identical",
        full=24,
    ),
    Check(
        "finite",
        "An update whose loss or gradient is not finite is skipped and counted; twenty in a row stop training and "
        "keep the last good state.",
        held="skipped, counted and kept the last good state",
        full=54,
    ),
    Check(
        "lines",
        "One line of input gives one line of output, in order, and blank lines stay blank, whatever bytes a file or "
        "stdin holds; with a NUL byte, it is refused.",
        held="with every line in its place",
        full=10_000,
    ),
    Check(
        "sentences",
        "The sentences of a line are translated as each alone and put together with their own spacing: by the command "
        "line, Python, the server and CTranslate2.",
        held="with every sentence as alone",
        full=1000,
        takes_runs=True,
    ),
    Check(
        "html",
        "Translated HTML has every text and every tag of its source, whatever its markup, and a paragraph with tags is "
        "translated as without.",
        held="with all texts and tags",
        full=5_000,
        takes_runs=True,
        bounds={"% of paragraphs that differ": 5},
    ),
    Check(
        "batches",
        "A sentence has the same translation alone and in any batch, in fp32, except for at most one in a thousand, "
        "whose two translations are equally probable.",
        held="translated alike",
        full=1_000,
        share=0.999,
    ),
    Check(
        "survive",
        "Numbers, times, dates, addresses, file names, placeholders, tags, code, emoji and prefixes of lines survive "
        "translation, each at its place by alignment, and the rest is translated no worse.",
        held="with all of it intact and in place",
        full=2_000,
        takes_runs=True,
        share=0.995,
        bounds={"BLEU that the rest loses by protection": 0.0},
    ),
    Check(
        "mismatched",
        "Corpus files that do not belong together stop training and evaluating before any work, with both line counts "
        "or with file and line.",
        held="stopped",
        full=21,
    ),
    Check(
        "recipes",
        "Any file with any overrides is either read as a recipe or refused with exit status 2 and one line for each "
        "error, which begins with its place.",
        held="read or refused with their place",
        full=10_000,
    ),
    Check(
        "strangers",
        "A run folder, bundle or export from a stranger runs no code, reads and writes nothing outside itself, takes "
        "less than 1 GiB, sends a terminal nothing but text, and is translated with or refused in a few lines.",
        held="without harm",
        full=108,
    ),
    Check(
        "load",
        "With 200 clients at once, a server loses, mistranslates and swaps nothing, takes at most 1.25 times as long "
        "as nmt translate, lets no client wait twice as long as the others, and does not grow.",
        held="answered with their own translation",
        full=10_000,
        takes_runs=True,
        bounds={
            "times as long as nmt translate": 1.25,
            "p99 over clients / rate": 2.0,
            "memory over that after a quarter": 1.05,
        },
    ),
    Check(
        "clients",
        "Clients of LibreTranslate work with a server unchanged.",
        held="translated as by the model",
        full=100,
        takes_runs=True,
    ),
    Check(
        "poison",
        "A request that makes the model fail is answered with 500, and the other requests of its batch are answered "
        "correctly.",
        held="answered as they should be",
        full=1_000,
        takes_runs=True,
    ),
    Check(
        "drain",
        "A server that gets SIGTERM under load answers all accepted requests and exits with status 0 within its grace "
        "of 30 seconds.",
        held="left with nothing lost",
        full=20,
        takes_runs=True,
        bounds={"seconds to leave": 30},
    ),
    Check(
        "limits",
        "A server accepts a request at each limit and refuses one just beyond it with the documented status; bodies "
        "that are far too large take no memory, and work that nobody waits for is ended.",
        held="as documented",
        full=14,
        takes_runs=True,
        bounds={
            "seconds beyond a limit of 2": 2.0,
            "seconds to an answer after another client hung up": 1.0,
            "seconds to an answer beside a text of 9,000 tokens": 10.0,
        },
    ),
    Check(
        "fuzz",
        "Malformed and unusual requests never cause a server error, every error is JSON with its text alone, and the "
        "server stays alive.",
        held="answered as documented",
        full=10_000,
        takes_runs=True,
    ),
    Check(
        "schema",
        "Requests made from the OpenAPI document of a server are answered with the statuses and schemas of that "
        "document.",
        held="operations answered as documented",
        full=200,
        takes_runs=True,
    ),
    Check(
        "overload",
        "An overloaded server refuses excess requests with 503 within 100 ms, answers /health within 100 ms, answers "
        "every client, and is back to normal 5 seconds later.",
        held="answered",
        full=10_000,
        takes_runs=True,
        bounds={"seconds to 503 (p99)": 0.1, "seconds to /health (p99)": 0.1, "seconds until normal": 5.0},
    ),
    Check(
        "latency",
        "On an idle server, a sentence is answered within 5 ms of the time that the model itself takes.",
        held="answered rightly",
        full=300,
        takes_runs=True,
        bounds={"milliseconds added to the model's own": 5.0},
    ),
    Check(
        "page",
        "The page translates, shows attention, compares models and works by keyboard and on a phone, and no text that "
        "it is given runs or is sent elsewhere.",
        held="as they should be",
        full=205,
        takes_runs=True,
    ),
    Check(
        "soak",
        "Memory does not grow with the number of translations or updates.",
        held="grew by less than 1 MB per 1,000",
        full=10_000,
    ),
    Check(
        "hub",
        "A Hub that refuses, cannot be resolved or does not answer is reported within 5 seconds, with the ways out.",
        held="named the ways out",
        full=9,
        bounds={"seconds": 5.0},
    ),
    Check(
        "clone",
        "A clean clone installs and passes its tests, with the versions of constraints.txt and with the newest "
        "release of everything but torch.",
        held="green",
        full=2,
    ),
    Check(
        "large",
        "Ten million pairs train in less than 2 GB of resident memory, start within a minute once they are cached, "
        "are shuffled anew in every epoch, and continue to the same result, to the bit.",
        held="kept",
        full=10_000_000,
    ),
)
