"""A modem that speaks AT commands (3GPP TS 27.007, ITU-T V.250) over abstract Unix sockets, as ModemManager's test interface opens them.

The arguments are the address of a bus, and the names of the ports, without the NUL. Says `ready` when it listens. Each line on its standard input does
something, and is answered by `done`:

    profile TAB id       has ModemManager open the ports as the ones of a new modem
    COMMAND TAB answer   gives a command another answer
    ! TAB text           is told to whoever is connected, unasked
"""

import socket
import sys
import threading

import dbus.bus

ANSWERS = {
    "AT+GCAP": "+GCAP: +CGSM",
    "AT+WS46=?": "+WS46: (12,22,25,28,29)",
    "AT+CGMI": "Example",
    "AT+CGMM": "Model 4",
    "AT+CGMR": "1.0",
    # IMEI and IMSI of examples: 3GPP TS 23.003 and the test network 001-01.
    "AT+CGSN": "490154203237518",
    "AT+CIMI": "001010123456789",
    "AT+CPIN?": "+CPIN: READY",
    "AT+CFUN?": "+CFUN: 1",
    "AT+CLCK=?": '+CLCK: ("SC")',
    'AT+CLCK="SC",2': "+CLCK: 0",
    "AT+CGDCONT=?": '+CGDCONT: (1-11),"IP",,,(0-2),(0-3)',
    "AT+CGDCONT?": '+CGDCONT: 1,"IP","internet","0.0.0.0",0,0',
    "AT+CREG?": '+CREG: 2,1,"1234","001122BB",7',
    "AT+CGREG?": '+CGREG: 2,1,"1234","001122BB",7',
    "AT+CEREG?": '+CEREG: 2,1,"1234","001122BB",7',
    "AT+CGACT?": "+CGACT: 1,0",
    "AT+CGATT?": "+CGATT: 1",
    "AT+CMGF=?": "+CMGF: (0,1)",
    "AT+CSQ": "+CSQ: 17,99",
    "AT+CESQ=?": "+CESQ: (0-63,99),(0-7,99),(0-96,255),(0-49,255),(0-34,255),(0-97,255)",
    "AT+CESQ": "+CESQ: 99,99,255,255,20,46",
}
QUIET = {
    "AT", "ATZ", "ATE0", "ATV1", "ATX4", "AT&C1", "ATH", "AT+CMEE=1", "AT+CREG=2", "AT+CGREG=2", "AT+CEREG=2", "AT+CREG=0",
    "AT+CGREG=0", "AT+CEREG=0", "AT+CFUN=1", "AT+CGATT=1", "AT+CMGF=0",
}
clients = []


def answer(command, form):
    """What comes back, and the form of an operator's name that is set on this port."""
    if command in ("AT+COPS=3,0", "AT+COPS=3,2"):
        return "\r\nOK\r\n", int(command[-1])
    if command == "AT+COPS?":
        name = "00101" if form == 2 else "Test Net"
        return f'\r\n+COPS: 0,{form},"{name}",7\r\n\r\nOK\r\n', form
    if command.startswith("ATD*99"):
        return "\r\nCONNECT 150000000\r\n", form
    if command in QUIET or command.startswith("AT+CGDCONT=1,"):
        return "\r\nOK\r\n", form
    found = ANSWERS.get(command, "ERROR")
    return (f"\r\n{found}\r\n" if "ERROR" in found else f"\r\n{found}\r\n\r\nOK\r\n"), form


def serve(client):
    held, form = b"", 0
    while data := client.recv(1024):
        *lines, held = (held + data).split(b"\r")
        for line in lines:
            if command := line.strip().decode("ascii", "replace"):
                text, form = answer(command, form)
                client.sendall(text.encode())
    clients.remove(client)


def listen(name):
    server = socket.socket(socket.AF_UNIX)
    server.bind("\0" + name)
    server.listen()
    return server


def accept(server):
    while True:
        client, _ = server.accept()
        clients.append(client)
        threading.Thread(target=serve, args=(client,), daemon=True).start()


def set_profile(profile):
    name = "org.freedesktop.ModemManager1"
    dbus.bus.BusConnection(sys.argv[1]).call_blocking(
        name, "/org/freedesktop/ModemManager1", name + ".Test", "SetProfile", "ssas", (profile, "generic", sys.argv[2:]))


servers = [listen(name) for name in sys.argv[2:]]
for server in servers:
    threading.Thread(target=accept, args=(server,), daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    key, text = line.rstrip("\n").split("\t", 1)
    if key == "!":
        for client in list(clients):
            client.sendall(f"\r\n{text}\r\n".encode())
    elif key == "profile":
        set_profile(text)
    else:
        ANSWERS[key] = text
    print("done", flush=True)
