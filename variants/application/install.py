"""Installs a project's dependencies, and the project itself where it is a package, for the default Dockerfile.

    python -B install.py locks        copies the files that say what is installed: /files -> /locks
    python -B install.py dependencies installs what they name into /opt/venv; the working directory has them
    python -B install.py project      installs what is built from the project's source; its files go to /own
    python -B install.py application  compiles /app, and gives it to the user that runs it

The steps are apart so that a change of code keeps the layer with the dependencies. Standard library only, Python 3.9 to
3.15. INSTALL is `workload.install` of the configuration, as JSON. Exit status: 0, or 1 with a sentence on what to do.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

FILES, LOCKS, OWN, VENV, TOOL = "/files", "/locks", "/own", "/opt/venv", "/tmp/tool"
PYTHON = VENV + "/bin/python"
# As USER in the Dockerfile.
USER = 10001
# What the step `locks` found, beside the lock files: the kind of dependency file, and its name.
NOTE = ".pacegate-install.json"

# Programs that read dependency files: the version, the last one for Python 3.9, and its other requirements.
TOOLS = {
    "uv": ("0.13.9", "0.13.9"),
    "poetry": ("2.5.1", "2.2.1"),
    # It does not start with hishel 2.
    "pdm": ("2.29.4", "2.26.9", "hishel<2"),
    "pipenv": ("2026.9.1", "2025.0.4"),
}
UV = {
    "UV_PROJECT_ENVIRONMENT": VENV,
    "UV_LINK_MODE": "copy",
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_SYSTEM_CERTS": "1",
}
LOCK_FILES = (
    ("uv.lock", "uv"),
    ("poetry.lock", "poetry"),
    ("pylock.toml", "pylock"),
    ("pdm.lock", "pdm"),
    ("Pipfile.lock", "pipenv"),
    ("requirements.txt", "requirements"),
)
# Each has a Python among its packages.
CONDA_LOCKS = ("pixi.lock", "conda-lock.yml")
# Requirements files for production, for a project that has neither a requirements.txt nor dependencies of its own.
PRODUCTION = (
    "requirements/prod.txt",
    "requirements/production.txt",
    "requirements/base.txt",
    "requirements/main.txt",
    "requirements-prod.txt",
    "requirements-base.txt",
    "requirements.in",
)
INCLUDES = ("-r", "--requirement", "-c", "--constraint")
OPTION = re.compile(r"(-r|--requirement|-c|--constraint|-e|--editable|-f|--find-links)(?:\s+|=|(?=[^-\s]))(\S+)")
ARCHIVE = re.compile(r"\.(whl|zip|tar\.\w+|tgz)$")
# Folders that hold other people's projects.
FOREIGN = {".git", ".venv", "venv", "node_modules", ".tox", ".nox", "site-packages"}


def fail(sentence):
    sys.exit("pacegate: " + sentence)


# --- what a project is installed from


def read(root, path):
    """A file's text; empty where there is none."""
    try:
        with open(os.path.join(root, path), encoding="utf-8-sig", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return ""


def kind_of(root):
    """What the project is installed from, and the file that says it."""
    for name, kind in LOCK_FILES:
        if os.path.isfile(os.path.join(root, name)):
            return kind, name
    for name in CONDA_LOCKS:
        if os.path.isfile(os.path.join(root, name)):
            return "conda", name
    text = read(root, "pyproject.toml")
    # An own table that is read without a TOML parser: Python 3.9 has none, and this step has no pip.
    project = section(text, "project")
    if re.search(r"^dependencies\s*=\s*\[\s*[^\]\s]", project, re.M) or re.search(
        r"^dynamic\s*=\s*\[[^\]]*[\"']dependencies[\"']", project, re.M
    ):
        return "pyproject", "pyproject.toml"
    if re.search(r"^(?!python\s*=)[\w.\"'-]+\s*=", section(text, "tool.poetry.dependencies"), re.M):
        return "pyproject", "pyproject.toml"
    for name in PRODUCTION:
        if os.path.isfile(os.path.join(root, name)):
            return "requirements", name
    if re.search(r"\binstall_requires\b", read(root, "setup.py") + read(root, "setup.cfg")):
        return "setup.py", "setup.py" if read(root, "setup.py") else "setup.cfg"
    return "none", None


def section(text, name):
    """The lines of a TOML table, without those of its subtables."""
    found = re.search(r"^\[%s\][ \t]*(?:#.*)?$(.*?)(?=^\[|\Z)" % re.escape(name), text, re.M | re.S)
    return found.group(1) if found else ""


# --- the step `locks`


def keep(path):
    """Copies a file with its place, as bytes and nothing else: times and modes would make another layer."""
    target = os.path.join(LOCKS, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(os.path.join(FILES, path), target)


def follow(path, seen, keeping=True):
    """
    Walks a requirements file and those that it names: -r, -c, archives and folders of archives.
    Returns the lines that install a project from its source: file, line number, and folder with extras.
    """
    if path in seen:
        return []
    seen.add(path)
    if keeping:
        keep(path)
    local = []
    root = FILES if keeping else "."
    for number, line in logical_lines(read(root, path)):
        place = "%s line %d" % (path, number)
        kind, value = option_of(line)
        if not value or "://" in value or "$" in value:
            continue
        # pip reads -r and -c from the folder of the file that names them, and paths from the working directory.
        beside = os.path.dirname(path) if kind in INCLUDES else ""
        named, full = os.path.normpath(os.path.join(beside, value)), os.path.join(root, beside, value)
        if kind in INCLUDES:
            if named.startswith(("..", "/")) or not os.path.isfile(full):
                fail("%s: it names %s, and workload.context has no such file." % (place, named))
            local += follow(named, seen, keeping)
        elif kind in ("-f", "--find-links"):
            if keeping and os.path.isdir(full):
                for name in sorted(os.listdir(full)):
                    if ARCHIVE.search(name):
                        keep(os.path.join(named, name))
        elif ARCHIVE.search(named):
            if keeping and os.path.isfile(full):
                keep(named)
        elif kind in ("-e", "--editable") or re.match(r"\.{1,2}(/|\[|$)|/", value):
            folder = re.sub(r"\[.*", "", value)
            outside = os.path.normpath(folder).startswith(("..", "/"))
            # The step that installs has the lock files alone.
            if outside or keeping and not os.path.isdir(os.path.join(FILES, folder)):
                fail("%s: it installs %s, and workload.context has no such folder." % (place, folder))
            local.append((path, number, value))
    return local


def logical_lines(text):
    """The lines with their numbers, without comments; a line that ends in a backslash goes on."""
    number, started, parts = 0, 1, []
    for number, line in enumerate(text.splitlines(), 1):
        if not parts:
            started = number
        if line.endswith("\\"):
            parts.append(line[:-1])
            continue
        whole = re.sub(r"(^|\s)#.*", "", " ".join(parts + [line])).strip()
        parts = []
        if whole:
            yield started, whole
    if parts:
        yield started, " ".join(parts).strip()


def option_of(line):
    """A line's option and its value; without an option the requirement itself."""
    option = OPTION.match(line)
    if option:
        return option.groups()
    return ("", "") if line.startswith("-") else ("", line.split(";")[0].split(" --")[0].replace("file:", "").strip())


def projects_in(root):
    """The folders of a project's pyproject.toml files, from the root."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in FOREIGN)
        if "pyproject.toml" in names:
            yield os.path.normpath(os.path.relpath(folder, root))


def locks():
    kind, name = kind_of(FILES)
    if kind == "conda":
        fail(
            "%s: its packages are conda's and bring a Python of their own, which no variant's interpreter can replace. "
            "Lock the packages of PyPI for the image (`uv lock`, or a requirements.txt), or name a Dockerfile with "
            "workload.dockerfile." % name
        )
    os.makedirs(LOCKS, exist_ok=True)
    with open(os.path.join(LOCKS, NOTE), "w") as file:
        json.dump({"kind": kind, "file": name}, file)
    has_project = os.path.isfile(os.path.join(FILES, "pyproject.toml"))
    named = [key for key in ("groups", "extras") if wanted[key]]
    if named and not has_project and kind not in ("pipenv", "setup.py"):
        fail("workload.install.%s: workload.context has no pyproject.toml that defines them." % named[0])
    if kind == "pipenv" and not os.path.isfile(os.path.join(FILES, "Pipfile")):
        fail("Pipfile.lock: workload.context has no Pipfile beside it.")
    if kind == "requirements":
        follow(name, set())
    elif name is not None and kind != "setup.py":
        keep(name)
    if kind == "pipenv":
        keep("Pipfile")
    if kind in ("uv", "poetry"):
        # A workspace's members and projects beside this one are named by their folders.
        for folder in projects_in(FILES):
            keep(os.path.normpath(os.path.join(folder, "pyproject.toml")))
    elif has_project and (kind == "pdm" or named):
        keep("pyproject.toml")


# --- the steps `dependencies` and `project`


def run(*words, **environment):
    """Runs a command, and ends with its status where that is not 0, after its own words."""
    print("+ " + shlex.join(words), flush=True)
    status = subprocess.run(words, env={**os.environ, **environment}).returncode
    if status != 0:
        sys.exit(status if status > 0 else 1)


def output(*words):
    """What a command prints; its errors go to the build's output."""
    print("+ " + shlex.join(words), flush=True)
    answer = subprocess.run(words, stdout=subprocess.PIPE, universal_newlines=True)
    if answer.returncode != 0:
        sys.exit(answer.returncode if answer.returncode > 0 else 1)
    return answer.stdout


def tools_python():
    """The Python of an environment apart from the application's, with the pip that comes with the interpreter."""
    python = os.path.join(TOOL, "bin", "python")
    if not os.path.exists(python):
        run(sys.executable, "-m", "venv", TOOL)
    return python


def tool(name):
    """A program of TOOLS. Returns its path."""
    python = tools_python()
    if name not in ready:
        newest, oldest, *others = TOOLS[name]
        version = newest if sys.version_info >= (3, 10) else oldest
        run(python, "-m", "pip", "install", "-q", "%s==%s" % (name, version), *others)
        ready.add(name)
    return os.path.join(TOOL, "bin", name)


ready = set()


# The first pip with `--group`, and the first that reads pylock.toml.
GROUPS, PYLOCK = (25, 1), (26, 1)


def pip(*words, least=None):
    """The words of a call of pip for the application's environment, which has none of its own."""
    python = tools_python()
    if least and "pip" not in ready:
        ready.add("pip")
        version = re.match(r"pip (\d+)\.(\d+)", output(python, "-m", "pip", "--version"))
        if version is None or tuple(map(int, version.groups())) < least:
            newest = "26.3" if sys.version_info >= (3, 10) else "26.0.1"
            run(python, "-m", "pip", "install", "-q", "pip==" + newest)
    return (python, "-m", "pip", "--python", PYTHON, *words)


def toml(path):
    """A TOML file as a value; {} where there is none. Before Python 3.11 pip's own parser reads it."""
    text = read(".", path)
    try:
        import tomllib
    except ImportError:
        script = "import json, sys; from pip._vendor import tomli; print(json.dumps(tomli.loads(sys.stdin.read()), default=str))"
        answer = subprocess.run(
            [tools_python(), "-c", script],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        if answer.returncode != 0:
            fail("%s is not valid TOML: %s" % (path, answer.stderr.strip().splitlines()[-1]))
        return json.loads(answer.stdout)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        fail("%s is not valid TOML: %s." % (path, error))


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def extra_requirements(extras):
    """What pyproject.toml lists for its extras; an extra may name others of its own project."""
    project = toml("pyproject.toml").get("project", {})
    optional = {normal(name): value for name, value in project.get("optional-dependencies", {}).items()}
    found, waiting, seen = [], list(extras), set()
    while waiting:
        extra = normal(waiting.pop(0))
        if extra in seen:
            continue
        seen.add(extra)
        if extra not in optional:
            fail(
                "workload.install.extras: found %s; expected: an extra of pyproject.toml (%s)."
                % (extra, ", ".join(sorted(optional)) or "it has none")
            )
        for requirement in optional[extra]:
            own = re.match(r"\s*([\w.-]+)\s*\[([^\]]*)\]", requirement)
            if own and normal(own.group(1)) == normal(project.get("name", "")):
                waiting += [name.strip() for name in own.group(2).split(",")]
            else:
                found.append(requirement)
    return found


def check_groups(groups):
    """Refuses a group that the project does not define, by the place where the configuration names it."""
    if kind == "pipenv":
        lock = json.loads(read(".", "Pipfile.lock"))
        names, file = [name for name in lock if name not in ("_meta", "default")], "Pipfile.lock"
    else:
        defined, file = toml("pyproject.toml"), "pyproject.toml"
        tools = defined.get("tool", {})
        names = [
            *defined.get("dependency-groups", {}),
            *tools.get("poetry", {}).get("group", {}),
            *tools.get("pdm", {}).get("dev-dependencies", {}),
        ]
    for group in groups:
        if normal(group) not in [normal(name) for name in names]:
            fail(
                "workload.install.groups: found %s; expected: a dependency group of %s (%s)."
                % (group, file, ", ".join(sorted(names)) or "it has none")
            )


def each(option, values):
    return [word for value in values for word in (option, value)]


def held():
    """A constraints file of what is installed: what comes besides does not change the version of what is locked."""
    with open("/tmp/held.txt", "w") as file:
        for package in json.loads(output(*pip("list", "--format=json"))):
            file.write("%s==%s\n" % (package["name"], package["version"]))
    return "/tmp/held.txt"


def uv_sync(*words):
    top = toml("pyproject.toml")
    # Any member may be what is measured.
    whole = "workspace" in top.get("tool", {}).get("uv", {})
    run(
        *(tool("uv"), "sync", "--locked", "--no-dev", "--python", PYTHON, *words),
        *(["--all-packages"] if whole else []),
        *each("--extra", wanted["extras"]),
        *each("--group", wanted["groups"]),
        **UV,
    )


def poetry_install(*words):
    run(
        *(tool("poetry"), "install", "--no-interaction", "--only", ",".join(["main", *wanted["groups"]]), *words),
        *each("--extras", wanted["extras"]),
        VIRTUAL_ENV=VENV,
        PATH=os.path.join(VENV, "bin") + os.pathsep + os.environ["PATH"],
        POETRY_VIRTUALENVS_CREATE="false",
    )


def install_exported(text):
    """Installs what a lock file's own program wrote as requirements. Returns the lines that are built from folders."""
    lines = text.splitlines()
    local = [line for line in lines if re.match(r"(-e\s+)?(\.|/|file:)", line)]
    with open("/tmp/exported.txt", "w") as file:
        file.write("".join(line + "\n" for line in lines if line not in local))
    run(*pip("install", "--no-deps", "-r", "/tmp/exported.txt"))
    return [option_of(line)[1] for line in local]


def without_folders(text):
    """A pylock.toml without the packages that are built from folders, and these folders."""
    head, *packages = re.split(r"(?m)^(?=\[\[packages\]\])", text)
    rest, folders = [], []
    for package in packages:
        folder = re.search(r"(?m)^directory\s*=\s*\{[^}]*?\bpath\s*=\s*[\"']([^\"']+)", package) or re.search(
            r"(?ms)^\[packages\.directory\][^\[]*?^path\s*=\s*[\"']([^\"']+)", package
        )
        folders.append(folder.group(1)) if folder else rest.append(package)
    return head + "".join(rest), folders


def without_sources(name):
    """Comments the lines of requirements files out that are built from folders. Returns these folders."""
    local = follow(name, set(), keeping=False)
    for path in {path for path, _line, _folder in local}:
        lines = read(".", path).splitlines()
        for number in [number for at, number, _folder in local if at == path]:
            lines[number - 1] = "# " + lines[number - 1]
        with open(path, "w") as file:
            file.write("\n".join(lines) + "\n")
    return [folder for _path, _line, folder in local]


def is_built(project):
    """Whether a pyproject.toml describes a package; without a build system it only lists dependencies."""
    return "build-system" in project


def is_computed(project):
    return "project" not in project or "dependencies" in project["project"].get("dynamic", [])


def dependencies():
    """Installs what the lock file names. Leaves in /opt/folders.json what the next step builds."""
    run(sys.executable, "-m", "venv", "--without-pip", VENV)
    groups, extras, packages = wanted["groups"], wanted["extras"], wanted["packages"]
    if kind == "setup.py" or kind == "none" and not groups + extras + packages:
        return
    if groups:
        check_groups(groups)
    folders = []
    if kind == "uv":
        uv_sync("--no-install-local")
        groups, extras = [], []
    elif kind == "poetry":
        poetry_install("--no-root", "--no-directory")
        groups, extras = [], []
    elif kind == "pdm":
        pdm = tool("pdm")
        if subprocess.run([pdm, "lock", "--check"]).returncode != 0:
            fail("pdm.lock is out of date with pyproject.toml: run `pdm lock` and commit pdm.lock.")
        # An extra is checked by pdm, which calls it a group too.
        chosen = ["--dev", *each("-G", groups)] if groups else ["--prod"]
        folders = install_exported(output(pdm, "export", "-f", "requirements", *chosen, *each("-G", extras)))
        groups, extras = [], []
    elif kind == "pipenv":
        pipenv = tool("pipenv")
        run(pipenv, "verify")
        categories = " ".join(["packages", *groups])
        folders = install_exported(output(pipenv, "requirements", "--hash", "--categories", categories))
        groups = []
    elif kind == "pylock":
        text, folders = without_folders(read(".", "pylock.toml"))
        with open("pylock.toml", "w") as file:
            file.write(text)
        if sys.version_info >= (3, 10):
            run(*pip("install", "-r", "pylock.toml", least=PYLOCK))
        else:
            # The last pip for Python 3.9 does not read this file.
            run(tool("uv"), "pip", "install", "--python", PYTHON, "-r", "pylock.toml", **UV)
    elif kind == "requirements":
        folders = without_sources(found["file"])
        run(*pip("install", "-r", found["file"]))
    elif kind == "pyproject" and not is_computed(toml("pyproject.toml")):
        listed = toml("pyproject.toml")["project"].get("dependencies", []) + extra_requirements(extras)
        if listed or groups:
            run(*pip("install", *listed, *each("--group", groups), least=GROUPS if groups else None))
        groups, extras = [], []
    if kind == "pyproject" and is_computed(toml("pyproject.toml")):
        extras = []
    more = [*extra_requirements(extras), *packages, *each("--group", groups)]
    if more:
        least = GROUPS if groups else None
        run(*pip("install", "--constraint", held(), *more, least=least))
    with open("/opt/folders.json", "w") as file:
        json.dump(folders, file)


# Files that a build reads to describe the package, and that an image is built without.
DESCRIBING = r"[\w./-]*(?:README|LICEN[CS]E|COPYING|NOTICE|AUTHORS|CHANGELOG|CHANGES|HISTORY|NEWS)[\w.-]*"
# The build has no .git to read a version from. Each program has its own name for it.
VERSION = {
    "SETUPTOOLS_SCM_PRETEND_VERSION": "0",
    "PDM_BUILD_SCM_VERSION": "0",
    "PBR_VERSION": "0",
    "POETRY_DYNAMIC_VERSIONING_BYPASS": "0",
}


def copy_source():
    """The project's files in the working directory, where a build may write."""
    shutil.copytree(FILES, ".", symlinks=True, dirs_exist_ok=True)
    for folder in [".", *projects_in(".")]:
        text = "".join(read(folder, name) for name in ("pyproject.toml", "setup.py", "setup.cfg"))
        for name in re.findall(r"[\"'=:]\s*(%s)" % DESCRIBING, text):
            path = os.path.normpath(os.path.join(folder, name))
            if not path.startswith(("..", "/")) and not os.path.exists(path):
                os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
                open(path, "w").close()


def files_below(folder):
    return {os.path.join(at, name) for at, _folders, names in os.walk(folder) for name in names}


def modules_in(folder):
    """Whether a folder has something to import."""
    try:
        names = os.listdir(os.path.join(FILES, folder))
    except (FileNotFoundError, NotADirectoryError):
        return False
    return any(
        name.endswith(".py") or os.path.isfile(os.path.join(FILES, folder, name, "__init__.py")) for name in names
    )


def poetry_root(poetry, project):
    """Whether Poetry would find the package; many projects lock with it and are none."""
    name = re.sub(r"\W+", "_", (project.get("name") or poetry.get("name") or ""))
    places = [name + ".py", name, "src/" + name, "src/" + name + ".py"]
    named = "packages" in poetry
    return poetry.get("package-mode", True) and bool(name) and (
        named or any(os.path.exists(os.path.join(FILES, place)) for place in places)
    )


def build_project():
    """Builds and installs what the project's own files make. Returns the folders that are installed."""
    if kind == "setup.py":
        copy_source()
        more = [*wanted["packages"], *each("--group", wanted["groups"])]
        extras = "[%s]" % ",".join(wanted["extras"]) if wanted["extras"] else ""
        run(*pip("install", "." + extras, *more, least=GROUPS if wanted["groups"] else None))
        return ["."]
    defined = toml("pyproject.toml") if os.path.isfile("pyproject.toml") else {}
    if kind == "uv":
        local = re.findall(r"source = \{ (?:editable|directory) = \"([^\"]*)\"", read(".", "uv.lock"))
        if local:
            copy_source()
            uv_sync("--no-editable", "--inexact")
        return local
    if kind == "poetry":
        root = poetry_root(defined.get("tool", {}).get("poetry", {}), defined.get("project", {}))
        if root or re.search(r"^type = \"directory\"", read(".", "poetry.lock"), re.M):
            copy_source()
            poetry_install(*([] if root else ["--no-root"]))
        return ["."] if root else []
    if kind == "pyproject" and (is_computed(defined) or is_built(defined)):
        copy_source()
        if is_computed(defined):
            extras = "[%s]" % ",".join(wanted["extras"]) if wanted["extras"] else ""
            run(*pip("install", "--constraint", held(), "." + extras))
        else:
            run(*pip("install", "--no-deps", "."))
        return ["."]
    with open("/opt/folders.json") as file:
        folders = json.load(file)
    if kind == "pdm" and (is_built(defined) or defined.get("tool", {}).get("pdm", {}).get("distribution")):
        folders.append(".")
    if folders:
        copy_source()
        named = [folder if folder.startswith(("/", "./", ".")) else "./" + folder for folder in folders]
        # Requirements do not list what these projects need; a lock file does.
        words = ["--constraint", held()] if kind == "requirements" else ["--no-deps"]
        run(*pip("install", *words, *named))
    return [os.path.normpath(re.sub(r"\[.*", "", folder)) for folder in folders]


def project():
    """Installs what is built from the project's source, and makes its `src` folders importable where it is not built."""
    os.makedirs(OWN, exist_ok=True)
    before = files_below(VENV)
    os.environ.update({name: os.environ.get(name, value) for name, value in VERSION.items()})
    installed = build_project() if kind != "none" else []
    folders = [folder for folder in projects_in(FILES) if folder not in installed] if kind == "uv" else []
    roots = [root for folder in folders if folder != "." for root in (folder + "/src", folder)]
    roots = (["src"] if "." not in installed else []) + roots
    lines = ["/app/" + root for root in roots if modules_in(root)]
    site = output(PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    if lines:
        with open(os.path.join(site, "pacegate_sources.pth"), "w") as file:
            file.write("".join(line + "\n" for line in lines))
    new = sorted(path for path in files_below(VENV) - before if "__pycache__" not in path)
    with open("/tmp/new.txt", "w") as file:
        file.write("".join(path + "\n" for path in new if path.endswith(".py")))
    compile_all("-i", "/tmp/new.txt")
    for path in sorted(files_below(VENV) - before):
        target = OWN + path
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.move(path, target)


def compile_all(*words, python=PYTHON):
    """Hashes instead of times in the bytecode: the same packages give the same bytes."""
    levels = ("-o", "0", "-o", "1", "-o", "2")
    # A template is no module: what does not compile is not imported either.
    subprocess.run([python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", *levels, *words])


def application():
    """Compiles the application, and gives its folder to the user that runs it."""
    compile_all("/app", python=sys.executable)
    os.chown("/app", USER, USER)


def main(step):
    global kind, found, wanted
    given = json.loads(os.environ.get("INSTALL") or "{}")
    wanted = {key: given.get(key, []) for key in ("groups", "extras", "packages")}
    if step in ("locks", "application"):
        return {"locks": locks, "application": application}[step]()
    certificate = "/run/pacegate/ca.pem"
    if os.path.isfile(certificate):
        for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            os.environ[name] = certificate
    os.environ.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", PIP_NO_COMPILE="1", PIPENV_IGNORE_VIRTUALENVS="1", PDM_CHECK_UPDATE="0")
    with open(NOTE) as file:
        found = json.load(file)
    kind = found["kind"]
    {"dependencies": dependencies, "project": project}[step]()
    shutil.rmtree(TOOL, ignore_errors=True)
    if step == "dependencies":
        for folder, names, _files in os.walk(VENV):
            if "__pycache__" in names:
                shutil.rmtree(os.path.join(folder, "__pycache__"))
        compile_all(VENV)


if __name__ == "__main__":
    main(sys.argv[1])
