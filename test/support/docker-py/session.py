"""One session of docker-py against one swarm. Prints a JSON list of [step, outcome], to be compared with another's.

Arguments: manager's socket, worker's socket, cluster address, worker's own address, first digit of published ports.
"""

import json
import sys
import time

import docker
from docker.types import (
    ConfigReference,
    EndpointSpec,
    Healthcheck,
    Mount,
    Resources,
    RestartPolicy,
    SecretReference,
    ServiceMode,
    UpdateConfig,
)

MANAGER, WORKER, ADDRESS, OWN, DIGIT = sys.argv[1:6]
IMAGE = "bale-test:1"
manager = docker.DockerClient(base_url="unix://" + MANAGER, version="auto")
worker = docker.DockerClient(base_url="unix://" + WORKER, version="auto")
low = manager.api
outcomes = []


def step(name, call):
    """Runs a call; keeps what it returned, or the status and words with which it was refused."""
    try:
        outcome = {"returned": call()}
    except docker.errors.APIError as error:
        outcome = {"status": error.response.status_code, "words": error.explanation}
    except (docker.errors.DockerException, TypeError, ValueError) as error:
        outcome = {"raised": type(error).__name__, "words": str(error)}
    outcomes.append([name, outcome])
    return outcome.get("returned")


def until(what, check, seen=lambda: None):
    end = time.monotonic() + 90
    while not check():
        if time.monotonic() > end:
            raise SystemExit("waited in vain for %s; there is %s" % (what, seen()))
        time.sleep(0.1)


def running(name, count):
    def check():
        tasks = low.tasks({"service": name, "desired-state": "running"})
        return len([task for task in tasks if task["Status"]["State"] == "running"]) == count

    until("%d tasks of %s" % (count, name), check, lambda: [task["Status"] for task in low.tasks({"service": name})])


def spec(name):
    return low.inspect_service(name)["Spec"]


def update(name, **changes):
    """Read, modify and write; Swarm moves a version with its status, so that one may come too late."""
    for attempt in range(5):
        try:
            return manager.services.get(name).update(**changes)
        except docker.errors.APIError as error:
            if "out of sequence" not in error.explanation or attempt == 4:
                raise


def node_update(node, **changes):
    node.reload()
    return node.update({**node.attrs["Spec"], **changes})


def session():
    step("services without a swarm", lambda: manager.services.list())
    step("swarm without a swarm", lambda: low.inspect_swarm())
    step("leave without a swarm", lambda: manager.swarm.leave())
    step("init", lambda: type(manager.swarm.init(advertise_addr=ADDRESS, listen_addr=ADDRESS)).__name__)
    step("init again", lambda: manager.swarm.init(advertise_addr=ADDRESS, listen_addr=ADDRESS))
    step("swarm", lambda: {key: low.inspect_swarm()[key] for key in ("Spec", "SubnetSize", "DataPathPort", "DefaultAddrPool")})
    step("unlock key", lambda: low.get_unlock_key())
    step("unlock", lambda: low.unlock_swarm("SWMKEY-1-x"))
    step("join with a wrong token", lambda: worker.swarm.join([ADDRESS], "SWMTKN-1-wrong", listen_addr=OWN))
    token = low.inspect_swarm()["JoinTokens"]["Worker"]
    step("join", lambda: worker.swarm.join([ADDRESS], token, listen_addr=OWN, advertise_addr=OWN))
    step("join again", lambda: worker.swarm.join([ADDRESS], token, listen_addr=OWN))
    until("two nodes", lambda: [n["Status"]["State"] for n in low.nodes()].count("ready") == 2)
    step("rotate", lambda: manager.swarm.update(rotate_worker_token=True))
    step("rotated", lambda: low.inspect_swarm()["JoinTokens"]["Worker"] != token)

    step("services of a worker", lambda: worker.services.list())
    step("nodes", lambda: sorted([n.attrs["Description"]["Hostname"], n.attrs["Spec"], n.attrs["Status"]["State"]] for n in manager.nodes.list()))
    step("workers", lambda: len(manager.nodes.list(filters={"role": "worker"})))
    step("nodes by a wrong filter", lambda: manager.nodes.list(filters={"shoe": "size"}))
    step("node nowhere", lambda: manager.nodes.get("nowhere"))
    h2 = manager.nodes.list(filters={"name": "h2"})[0]
    step("node", lambda: h2.attrs["Description"])
    step("label", lambda: node_update(h2, Labels={"zone": "a"}))
    step("labelled", lambda: manager.nodes.get(h2.id).attrs["Spec"])
    step("wrong availability", lambda: node_update(h2, Availability="away"))
    step("stale", lambda: low.update_node(h2.id, 1, {"Role": "worker", "Availability": "active"}))
    step("remove a node that is up", lambda: low.remove_node(h2.id))
    step("remove node nowhere", lambda: low.remove_node("nowhere"))

    for noun, create, find, many in (
        ("secret", low.create_secret, low.inspect_secret, manager.secrets),
        ("config", low.create_config, low.inspect_config, manager.configs),
    ):
        step(noun + " create", lambda: list(create("one", b"s3cr3t", {"k": "v"})))
        step(noun + " twice", lambda: create("one", b"s3cr3t"))
        step(noun + " inspect", lambda: find("one")["Spec"])
        step(noun + " model", lambda: many.get("one").name)
        step(noun + " list", lambda: [item.name for item in many.list()])
        step(noun + " filter", lambda: [item.name for item in many.list(filters={"name": ["one"], "label": ["k=v"]})])
        step(noun + " nothing", lambda: many.list(filters={"label": ["nothing"]}))
        step(noun + " wrong filter", lambda: many.list(filters={"shoe": "size"}))
        step(noun + " nowhere", lambda: many.get("nowhere"))
        step(noun + " gone", lambda: [create("two", b"x") and None, many.get("two").remove()])
        step(noun + " bad name", lambda: create("b ad", b"x"))

    secret, config = low.inspect_secret("one")["ID"], low.inspect_config("one")["ID"]
    step("create", lambda: type(manager.services.create(
        IMAGE, "sh", args=["-c", "echo one; echo two; exec sleep 1000"], name="talk", env=["A=b"], labels={"x": "y"},
        container_labels={"c": "d"}, constraints=["node.hostname==h2"], mode=ServiceMode("replicated", 1),
        hostname="h", workdir="/tmp", user="0", stop_grace_period=int(3e9), init=True, tty=False,
        endpoint_spec=EndpointSpec(ports={int(DIGIT + "8080"): 80}),
        resources=Resources(mem_limit=64 << 20, cpu_reservation=int(1e8)),
        restart_policy=RestartPolicy("on-failure", delay=int(1e9), max_attempts=3),
        update_config=UpdateConfig(parallelism=1, delay=0, order="stop-first", monitor=int(1e8)),
        healthcheck=Healthcheck(test=["NONE"]), hosts={"db": "10.0.0.5"},
        mounts=[Mount("/t", "", type="tmpfs")],
        secrets=[SecretReference(secret, "one")], configs=[ConfigReference(config, "one", "/one")],
    )).__name__)
    running("talk", 1)
    step("spec", lambda: spec("talk"))
    step("with defaults", lambda: low.inspect_service("talk", insert_defaults=True)["Spec"])
    step("endpoint", lambda: low.inspect_service("talk")["Endpoint"]["Ports"])
    step("list", lambda: [s.name for s in manager.services.list(filters={"name": "talk", "label": "x=y"})])
    step("by mode", lambda: [s.name for s in manager.services.list(filters={"mode": "global"})])
    step("wrong filter", lambda: manager.services.list(filters={"shoe": "size"}))
    step("twice", lambda: manager.services.create(IMAGE, name="talk"))
    step("bad name", lambda: manager.services.create(IMAGE, name="b ad"))
    step("port taken", lambda: manager.services.create(IMAGE, endpoint_spec=EndpointSpec(ports={int(DIGIT + "8080"): 80})))
    step("bad mode", lambda: ServiceMode("circle"))
    step("bad constraint", lambda: manager.services.create(IMAGE, constraints=["nonsense"]))
    step("no such secret", lambda: manager.services.create(IMAGE, secrets=[SecretReference("nowhere", "nowhere")]))
    step("secret in use", lambda: manager.secrets.get("one").remove())
    step("config in use", lambda: manager.configs.get("one").remove())
    step("service nowhere", lambda: manager.services.get("nowhere"))

    task = low.tasks({"service": "talk"})[0]
    step("task", lambda: [sorted(task), task["Spec"], task["Slot"], task["DesiredState"], sorted(task["Status"])])
    step("task again", lambda: low.inspect_task(task["ID"])["ID"] == task["ID"])
    step("tasks of a node", lambda: len(low.tasks({"node": "h2"})))
    step("tasks of a service", lambda: [t["Status"]["State"] for t in manager.services.get("talk").tasks({"desired-state": "running"})])
    step("task nowhere", lambda: low.inspect_task("nowhere"))
    step("tasks of service nowhere", lambda: low.tasks({"service": "nowhere"}))
    step("wrong task filter", lambda: low.tasks({"shoe": "size"}))

    talk = manager.services.get("talk")
    until("both lines", lambda: b"".join(talk.logs(stdout=True)).count(b"\n") >= 2)
    step("logs", lambda: b"".join(talk.logs(stdout=True, stderr=True)).decode())
    step("last line", lambda: b"".join(talk.logs(stdout=True, tail=1)).decode())
    step("with details", lambda: b"".join(talk.logs(stdout=True, details=True)).decode())
    step("with times", lambda: b"".join(talk.logs(stdout=True, timestamps=True)).decode())
    step("neither stream", lambda: b"".join(talk.logs()).decode())
    step("followed", lambda: next(talk.logs(stdout=True, follow=True)).decode())

    step("scale", lambda: [talk.reload(), talk.scale(2)][1])
    running("talk", 2)
    step("update", lambda: update("talk", image=IMAGE, env=["A=c"]))
    step("updated", lambda: spec("talk")["TaskTemplate"]["ContainerSpec"]["Env"])
    step("stale update", lambda: low.update_service("talk", 1, name="talk", fetch_current_spec=True))
    step("force", lambda: manager.services.get("talk").force_update())
    step("remove", lambda: manager.services.get("talk").remove())
    step("remove again", lambda: low.remove_service("talk"))
    until("its tasks to be gone", lambda: not low.tasks())
    step("global", lambda: type(manager.services.create(IMAGE, name="every", mode="global")).__name__)
    running("every", 2)
    step("by mode again", lambda: [s.name for s in manager.services.list(filters={"mode": "global"})])
    step("scale a global one", lambda: manager.services.get("every").scale(3))
    step("remove it", lambda: manager.services.get("every").remove())

    step("worker leaves", lambda: worker.swarm.leave())
    until("h2 to be down", lambda: low.inspect_node(h2.id)["Status"]["State"] == "down")
    step("remove node", lambda: low.remove_node(h2.id))
    step("nodes left", lambda: len(manager.nodes.list()))
    step("leave", lambda: manager.swarm.leave())
    step("leave by force", lambda: manager.swarm.leave(force=True))
    step("info", lambda: manager.info()["Swarm"]["LocalNodeState"])


try:
    session()
except BaseException:
    print("after: %s" % json.dumps(outcomes[-3:], default=str), file=sys.stderr)
    raise
print(json.dumps(outcomes, default=str))
