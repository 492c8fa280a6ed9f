"""`manage.py orders N`: enqueue N tasks, print their ids."""

from django.core.management.base import BaseCommand

from django_shop.tasks import charge


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("n", type=int)

    def handle(self, *, n, **options):
        for order_id in range(n):
            self.stdout.write(charge.delay(order_id).id)
